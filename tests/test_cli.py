"""How a stage ends when something is wrong."""

from __future__ import annotations

import signal

import pytest

from stages.cli import clear_errors, run
from stages.corpus.hub import HubError
from stages.corpus.markup import MarkupError
from stages.corpus.rows import DataError
from stages.errors import UserError
from stages.settings import SettingsError


@pytest.mark.parametrize(
    "error", [UserError("x"), DataError("x"), MarkupError(0, "x"), HubError("x"), SettingsError("x")]
)
def test_a_users_error_is_one_line_and_status_one(error: UserError, capsys: pytest.CaptureFixture[str]) -> None:
    @clear_errors()
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    shown = capsys.readouterr()
    assert shown.err == "error: x\n"
    assert shown.out == ""


def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match=r"^x$"), clear_errors():
        raise ValueError("x")


def test_what_a_stage_returns_passes() -> None:
    @clear_errors()
    def main(n: int) -> int:
        return n + 1

    assert [main(1), main(2)] == [2, 3]


def greet(name: str, times: int = 1) -> None:
    if name == "nobody":
        raise UserError("nobody cannot be greeted")
    print(f"hello {name} " * times)


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["greet", *arguments])
    with pytest.raises(SystemExit) as stop:
        run(greet)
    return int(stop.value.code or 0)


def test_parameters_are_options(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(monkeypatch, "Ada", "--times", "2") == 0
    assert capsys.readouterr().out == "hello Ada hello Ada \n"


def test_a_command_that_fails_tells_it_and_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "nobody") == 1
    assert capsys.readouterr().err == "error: nobody cannot be greeted\n"


def test_an_unknown_option_is_an_error_of_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "Ada", "--tims", "2") == 2
    assert "No such option: --tims" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_ends_in_one_line(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as stop, clear_errors():
        signal.raise_signal(number)
    assert stop.value.code == 128 + number
    assert capsys.readouterr().err == "stopped; nothing half-written stays\n"
    assert signal.getsignal(number) == before


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with clear_errors():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
