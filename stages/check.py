"""Stage ``check``: the whole of params.yaml is looked at before any output is deleted.

Its output never changes, so that a good parameter reruns nothing behind it.
"""

from __future__ import annotations

from stages import settings
from stages.cli import run
from stages.corpus.files import whole_file
from stages.models import places

OUTPUT = "data/params.ok"
CONTENT = "params.yaml is sound.\n"


def main() -> None:
    """Check params.yaml and write ``data/params.ok``.

    Raises:
        SystemExit: status 1 where a parameter cannot be; the message names line, field and value.
    """
    params = settings.load()
    for family in settings.FAMILIES:
        for system in ("A", "B"):
            places.check(params.training(family, system))
    with whole_file(OUTPUT) as file:
        file.write(CONTENT)


if __name__ == "__main__":
    run(main)
