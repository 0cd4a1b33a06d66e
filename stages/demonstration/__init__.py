"""A local page on which four models read one text.

``readers`` ask the models, ``agreement`` compares what they say, ``page`` shows it, ``server`` serves that.
"""
