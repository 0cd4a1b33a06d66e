"""A trained model on its way to other people: whole, with its figures, and pushed to a hub when told to."""
