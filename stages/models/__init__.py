"""The two model families, their training and their predictions."""
