"""Whole files or none: everything a stage writes goes through here."""

from __future__ import annotations

import errno
import glob
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from stages.errors import UserError

WAYS_OUT = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f)",
    errno.EROFS: "mount it writable",
    errno.EACCES: "mend its permissions",
    errno.EPERM: "mend its permissions",
}
"""What a person can do where the system refuses to write."""


class WriteError(UserError):
    """The system refuses to write: says what, why, and the way out."""


@contextmanager
def telling(path: str | Path) -> Iterator[None]:
    """Turn a refusal to write in the body, Python's or a native library's, into one that names ``path``.

    Raises:
        WriteError: the disk is full, or the place may not be written.
    """
    try:
        yield
    except Exception as error:
        native = re.search(r"\(os error (\d+)\)", str(error))
        number = int(native[1]) if native else getattr(error, "errno", None)
        if number not in WAYS_OUT:
            raise
        reason = f"{os.strerror(number)}; {WAYS_OUT[number]} and run the same command again"
        raise WriteError(f"{path}: cannot be written: {reason}") from error


@contextmanager
def whole_file(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open ``path`` for writing so that it appears complete, or not at all.

    The bytes go to a hidden file beside it, which takes its name only after they reached the disk.
    Where the body raises, the hidden file is removed and an earlier ``path`` stays as it was.
    ``mode`` is ``"w"`` (UTF-8, ``\\n``) or ``"wb"``.

    Raises:
        WriteError: the disk is full, or the folder may not be written.
    """
    path = Path(path)
    with telling(path), _whole_file(path, mode) as file:
        yield file


@contextmanager
def _whole_file(path: Path, mode: str) -> Iterator[IO[Any]]:
    descriptor, name = tempfile.mkstemp(prefix=_fresh_prefix(path), suffix=".part", dir=path.parent)
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    try:
        with os.fdopen(descriptor, mode, **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """A fresh folder to fill, which replaces ``path`` when the body ends, or vanishes if it raises.

    Raises:
        WriteError: the disk is full, or the folder may not be written.
    """
    path = Path(path)
    with telling(path), _whole_folder(path) as folder:
        yield folder


@contextmanager
def _whole_folder(path: Path) -> Iterator[Path]:
    part = Path(tempfile.mkdtemp(prefix=_fresh_prefix(path), suffix=".part", dir=path.parent))
    try:
        yield part
        for file in filter(Path.is_file, part.rglob("*")):
            with file.open("rb") as written:
                os.fsync(written.fileno())
        os.chmod(part, 0o755)
        if path.exists():
            old = part.with_suffix(".old.part")
            os.replace(path, old)
            os.replace(part, path)
            shutil.rmtree(old)
        else:
            os.replace(part, path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _fresh_prefix(path: Path) -> str:
    """How the hidden name of an unfinished ``path`` begins; what killed processes left under such names goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for rest in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        owner = rest.name.removeprefix(f".{path.name}.").partition(".")[0]
        if owner.isdecimal() and not _lives(int(owner)):
            shutil.rmtree(rest) if rest.is_dir() else rest.unlink()
    return f".{path.name}.{os.getpid()}."


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON with a final newline; NaN and infinity are refused."""
    with whole_file(path) as file:
        file.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """The value of a JSON file (UTF-8).

    Raises:
        UserError: the file is missing, or no JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; `dvc repro` makes the project's own") from None
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
