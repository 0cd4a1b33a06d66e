"""Rows, labels and sources: everything that is known of the data before a model sees it."""
