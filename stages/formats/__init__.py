"""What predictions are asked about and how they are written: every input and output format of ``stages.predict``."""
