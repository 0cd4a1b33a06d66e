"""SpanMarker: every span of a sentence between two markers, at the price that its mathematics asks for.

The weights, the logits and the saved files are those of the ``span_marker`` package
(github.com/tomaarsen/SpanMarkerNER); only the computation differs. See :mod:`.packed`.
"""

from stages.models.span_marker.batches import Collator
from stages.models.span_marker.modeling import SpanMarker
from stages.models.span_marker.preparation import prepare
from stages.models.span_marker.saving import create, load, save
from stages.models.span_marker.tagger import SpanMarkerTagger

__all__ = ["Collator", "SpanMarker", "SpanMarkerTagger", "create", "load", "prepare", "save"]
