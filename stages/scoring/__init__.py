"""Scores, errors and comparisons, from predictions alone."""
