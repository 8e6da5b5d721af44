"""What people and programs are told, and what is not mixed up."""

from __future__ import annotations

import io
import json
import sys
import time

import pytest

from crosswind.actions import Call
from crosswind.cli.notices import Notices
from crosswind.cli.output import PIPE_WIDTH, Output
from crosswind.embedded.memory import MemoryStore
from crosswind.operations.notification import Notify
from crosswind.operations.traffic import CurrentWeights
from crosswind.records.ledger import Ledger


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_results_for_programs_hold_no_word_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=True)
    output.say("a word")
    output.notice("a notice")
    output.document({"a": "ü"})
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"a": "ü"}
    assert captured.err == "a notice\n"


def test_results_for_people_hold_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    output.say("a word")
    output.document({"a": 1})
    output.line({"a": 1})
    assert capsys.readouterr().out == "a word\n"


def test_a_line_stays_one_however_long_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).say("long " * PIPE_WIDTH)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_markup_in_text_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).say("[bold]not bold[/bold] :smile:")
    assert capsys.readouterr().out == "[bold]not bold[/bold] :smile:\n"


def test_what_takes_long_shows_that_it_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("crosswind.cli.output.PATIENCE", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    with Output(as_json=True).progress("working"):
        end = time.monotonic() + 5
        while "working" not in terminal.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
    assert "working" in terminal.getvalue()


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Output(as_json=False).progress("working"):
        pass
    assert "working" not in terminal.getvalue()


def test_a_notice_is_told_once_for_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(MemoryStore(), time.time)
    notices = Notices(ledger, "main", Output(as_json=True))
    for _ in range(2):
        told = notices.perform(Notify(title="a region fails", text="look"), Call("key", 1.0))
        assert "console" in told.channel
    notices.perform(Notify(title="another"), Call("other", 1.0))
    assert capsys.readouterr().err == "a region fails\nlook\nanother\n"


def test_notices_answer_no_query() -> None:
    notices = Notices(Ledger(MemoryStore(), time.time), "main", Output(as_json=True))
    with pytest.raises(TypeError, match=r"traffic\.weights"):
        notices.answer(CurrentWeights(workload="chat"), 1.0)
