"""Every error is one message and an exit code that means something; nothing else gets through."""

from __future__ import annotations

import errno
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crosswind.cli.faults import BUG, CODES, LATER, NO, NOTHING, USAGE, Failure, explained
from crosswind.cli.loading import load_app
from crosswind.cli.options import debug_option
from crosswind.cli.output import printable
from crosswind.cli.teaching import Root, Teaching
from crosswind.engine.approvals import NoSuchProposal
from crosswind.engine.redrive import NotRedrivable
from crosswind.errors import (
    Conflict,
    DeclarationError,
    FleetInvalid,
    NotAccepted,
    NotPossible,
    Returned,
    Throttled,
    Unreachable,
)
from crosswind.journal.listing import AmbiguousChain, NoSuchChain
from crosswind.stacks.desk import NoSuchLetter
from crosswind.stacks.driver import Busy, Denied, NotDeployed
from crosswind.world.addresses import NoWorld
from crosswind_events import Fault, InvalidEvent


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoSuchChain("x"), NOTHING),
        (NoSuchProposal("x"), NOTHING),
        (NotRedrivable("x"), NOTHING),
        (AmbiguousChain("x"), USAGE),
        (Throttled("x"), LATER),
        (Unreachable("x"), LATER),
        (NotAccepted([], "x"), LATER),
        (NotPossible("x"), NO),
        (Returned("x", 1.0), LATER),
        (NotDeployed("x"), NOTHING),
        (NoSuchLetter("x"), NOTHING),
        (Denied("x"), NO),
        (Busy("x"), LATER),
        (FleetInvalid("x"), USAGE),
        (DeclarationError("x"), USAGE),
        (NoWorld("x"), USAGE),
        (InvalidEvent([Fault("data", "x")]), USAGE),
        (PermissionError(errno.EACCES, "denied", "a file"), USAGE),
        (Conflict({"k": None}), USAGE),
        (ZeroDivisionError("x"), BUG),
    ],
)
def test_an_error_has_the_exit_code_of_its_kind(error: Exception, code: int) -> None:
    failure = explained(error)
    assert failure is not None
    assert failure.exit_code == code
    assert failure.exit_code in CODES


@pytest.mark.parametrize("error", [ImportError("x"), BrokenPipeError(errno.EPIPE, "x")])
def test_some_errors_are_passed_on_as_they_are(error: Exception) -> None:
    assert explained(error) is None


def test_what_may_be_tried_again_says_so() -> None:
    failure = explained(Throttled("the store is busy"))
    assert failure is not None
    assert "try again" in failure.message


def failing(error: Exception) -> Root:
    @click.command("fail", cls=Teaching, examples=[("Fail", "crosswind fail")])
    @debug_option
    def fail() -> None:
        """Fail."""
        raise error

    return Root("crosswind", sections={"Fail": (fail,)})


def test_a_fault_of_our_own_is_one_message_without_a_traceback() -> None:
    result = CliRunner().invoke(failing(ZeroDivisionError("oh")), ["fail"])
    assert result.exit_code == BUG
    assert "ZeroDivisionError: oh" in result.stderr
    assert "--debug" in result.stderr
    assert "Traceback" not in result.output


def test_with_debug_it_is_raised() -> None:
    result = CliRunner().invoke(failing(ZeroDivisionError("oh")), ["fail", "--debug"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_a_failure_keeps_its_code() -> None:
    assert CliRunner().invoke(failing(Failure("no", NO)), ["fail"]).exit_code == NO


def test_examples_stand_in_the_help_as_they_are_to_be_typed() -> None:
    shown = CliRunner().invoke(failing(Failure("no")), ["fail", "--help"]).stdout
    assert "# Fail\n  crosswind fail\n" in shown


def test_every_command_has_examples_and_help() -> None:
    from crosswind.cli.root import crosswind

    def commands(group: click.Group) -> list[click.Command]:
        found: list[click.Command] = []
        for command in group.commands.values():
            found += commands(command) if isinstance(command, click.Group) else [command]
        return found

    for command in commands(crosswind):
        assert isinstance(command, Teaching)
        assert command.examples, command.name
        assert all("crosswind" in line for _, line in command.examples), command.name
        assert command.help
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, f"{command.name} {option}"


def test_text_is_made_printable_and_keeps_its_lines() -> None:
    assert printable("plain äöü") == "plain äöü"
    assert printable("a\nb") == "a\nb"
    assert printable("\x1b[2J\r\x07\u202e") == r"\x1b[2J\r\x07\u202e"


def test_an_app_is_found_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["/nowhere"])
    (tmp_path / "ops_of_here.py").write_text("from crosswind import App\napp = App('ops')\n")
    assert load_app("ops_of_here:app").name == "ops"
