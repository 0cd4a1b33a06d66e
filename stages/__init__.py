"""The stages of the pipeline: one thin module each, beside the rooms that they share."""
