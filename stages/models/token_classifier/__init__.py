"""The token classifier: a label for each word, read from its first subword."""

from stages.models.token_classifier.tagger import TokenClassifier

__all__ = ["TokenClassifier"]
