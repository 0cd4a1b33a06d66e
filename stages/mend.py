"""What is shared, read through: ``python -m stages.mend`` removes from the DVC remote what is not what its name says.

An object's name is the MD5 sum of its content. `dvc push` goes by names and leaves a damaged object where it is; and it
takes a folder's listing (``.dir``) for a sign that all the folder is there. So both go, and the next push sends them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.hash import hash_file
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree

from stages.cli import run
from stages.errors import UserError

if TYPE_CHECKING:
    from dvc_data.hashfile.db import HashFileDB

LISTING = ".dir"


def damaged(objects: HashFileDB, names: list[str]) -> Iterator[str]:
    """The names whose object has other content; each is removed when it is found.

    ``HashFileDB.check`` would take the word of a file that may not be written for its content.
    """
    for name in names:
        _, found = hash_file(objects.get(name).path, objects.fs, objects.hash_name)
        if found.value != name.removesuffix(LISTING):
            objects.delete(name)
            yield name


def incomplete(objects: HashFileDB, listings: list[str], there: set[str]) -> Iterator[str]:
    """The whole listings of folders of which a file is not ``there``; each is removed when it is found."""
    for name in listings:
        files = {info.value for _, _, info in Tree.load(objects, HashInfo("md5", name)) if info}
        if not files <= there:
            objects.delete(name)
            yield name


def mend(objects: HashFileDB) -> Iterator[str]:
    """Read every object, and remove the damaged ones and the listings of folders that lack one; their names."""
    there = set(objects.all())
    for name in damaged(objects, sorted(there)):
        there.discard(name)
        yield name
    yield from incomplete(objects, [name for name in sorted(there) if name.endswith(LISTING)], there)


def main(
    remote: Annotated[str | None, typer.Option(help="a remote of .dvc/config; the default one if unsaid")] = None,
) -> None:
    """Read all that a DVC remote holds, remove damaged objects, and say what to do."""
    removed = 0
    with Repo() as project:
        try:
            for name in mend(project.cloud.get_remote_odb(remote)):
                print(f"removed {name}: {'a folder that lacks a file' if name.endswith(LISTING) else 'damaged'}")
                removed += 1
        except DvcException as error:
            raise UserError(f"{error}: `make remote URL=s3://bucket/folder` names one") from None
        except Exception as error:  # every kind of store has errors of its own
            raise UserError(f"the remote cannot be read or written: {error}; nothing else was removed") from error
    if removed:
        raise UserError(
            "send them again from where they were made (`dvc push --all-commits`, `dvc exp push origin NAME`), "
            "or run what made them again"
        )
    print("every object is what its name says")


if __name__ == "__main__":
    run(main)
