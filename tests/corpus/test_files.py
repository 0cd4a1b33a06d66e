"""A file or folder appears complete, or what was there before stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stages.corpus.files import read_json, whole_file, whole_folder, write_json


class StopError(Exception):
    """What goes wrong in the middle of writing."""


def stop_after(_written: int) -> None:
    raise StopError


def test_a_file_appears_with_all_its_text(tmp_path: Path) -> None:
    with whole_file(tmp_path / "new" / "a.txt") as file:
        file.write("é\n")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert (tmp_path / "new" / "a.txt").read_bytes() == "é\n".encode()
    assert os.listdir(tmp_path / "new") == ["a.txt"]


def test_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.bin", "wb") as file:
        file.write(b"\r\n\x00")
    assert (tmp_path / "a.bin").read_bytes() == b"\r\n\x00"


def test_a_failed_file_leaves_the_earlier_one_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(StopError), whole_file(path) as file:
        stop_after(file.write("half"))
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failed_new_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StopError), whole_file(tmp_path / "a.txt"):
        raise StopError
    assert os.listdir(tmp_path) == []


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.txt"):
        pass
    with whole_folder(tmp_path / "b"):
        pass
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o755


def test_a_folder_replaces_the_earlier_one_as_a_whole(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with whole_folder(tmp_path / "deep" / "folder") as folder:
            (folder / "sub").mkdir()
            (folder / "sub" / name).write_text(name)
    assert os.listdir(tmp_path / "deep") == ["folder"]
    assert os.listdir(tmp_path / "deep" / "folder" / "sub") == ["new"]


def test_a_failed_folder_leaves_the_earlier_one_and_no_rest(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").write_text("before")
    with pytest.raises(StopError), whole_folder(tmp_path / "folder") as folder:
        stop_after((folder / "old").write_text("half"))
    assert os.listdir(tmp_path) == ["folder"]
    assert (tmp_path / "folder" / "old").read_text() == "before"


def test_a_killed_writer_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    program = (
        "import os, signal, sys\n"
        "from stages.corpus.files import whole_file\n"
        "with whole_file(sys.argv[1]) as file:\n"
        "    file.write('half' * 100_000); file.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "before"


def test_json_is_indented_utf8_with_a_last_line_end(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"é": [1, 0.5, None]})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "é": [\n    1,\n    0.5,\n    null\n  ]\n}\n'.encode()
    assert read_json(tmp_path / "a.json") == {"é": [1, 0.5, None]}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_refuses_what_json_cannot_say_and_keeps_the_earlier_file(tmp_path: Path, value: float) -> None:
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"f1": value})
    assert read_json(tmp_path / "a.json") == 1
    assert os.listdir(tmp_path) == ["a.json"]
