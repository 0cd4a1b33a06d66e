"""The benchmark: each row sets this project beside a peer on the same sentences, encoder and machine.

Arrows: ``catalogue`` (names) → the rows (``speed``, ``growth``, ``logits``, ``data``, ``quality``) → the sides
(``ours``, ``stock``, ``plain``, ``multilingual``) and ``race``, which lets sides take turns in processes of their own.
"""
