"""The benchmark: each row sets this project beside a peer on the same sentences, encoder and machine.

Arrows: ``catalogue`` (rows by name) → ``speed``, ``growth``, ``data``, ``quality`` (the rows) → ``race`` (sides take
turns), ``trainings`` (whole ones, kept) → the sides, which load only in their own process: ``ours``, ``stock``,
``plain``, ``multilingual``, ``equality``. ``report`` is the file that rows end in.
"""
