"""The stages of the pipeline: one thin module each, beside the rooms that they share."""

import os
from pathlib import Path

for _name, _folder in (("HF_HOME", "huggingface"), ("MPLCONFIGDIR", "matplotlib")):
    # What libraries would otherwise keep in the home folder; they look here when they are imported.
    os.environ.setdefault(_name, str(Path.cwd() / ".cache" / _folder))
