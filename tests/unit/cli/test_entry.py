"""The way in: what is missing, what a shell may complete, and the scripts for it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crosswind.cli import main
from crosswind.cli.completing import complete_chain, complete_type
from crosswind.cli.root import crosswind
from crosswind.embedded.sqlite_store import SqliteStore
from crosswind.testing import Stage
from unit.journal.plays import Asked, waiting


def test_a_package_that_is_missing_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "crosswind.cli.root")
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    told = "crosswind: the command line needs click; pip install 'crosswind[cli]'\n"
    assert capsys.readouterr().err == told


def test_any_other_missing_package_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "crosswind.cli.root")
    monkeypatch.setitem(sys.modules, "crosswind.cli.approving", None)
    with pytest.raises(ImportError):
        main()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_is_given_its_script(shell: str) -> None:
    result = CliRunner().invoke(crosswind, ["completion", shell])
    assert result.exit_code == 0
    assert "_CROSSWIND_COMPLETE" in result.stdout


def parameter() -> tuple[click.Context, click.Parameter]:
    return click.Context(crosswind), click.Argument(["chain"])


def test_event_types_are_completed_by_either_name() -> None:
    ctx, param = parameter()
    assert complete_type(ctx, param, "region.un") == ["region.unhealthy"]
    assert "dev.crosswind.region.unhealthy.v1" in complete_type(ctx, param, "dev.crosswind.region")


def test_chains_are_completed_from_what_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, param = parameter()
    data = tmp_path / "a.sqlite"
    monkeypatch.setenv("CROSSWIND_DATA", str(data))
    assert complete_chain(ctx, param, "") == []
    with SqliteStore(data) as store:
        chain = Stage(waiting(), store=store, now=time.time()).say(Asked())  # type: ignore[arg-type]
    (item,) = complete_chain(ctx, param, chain[:4])
    assert item.value == chain
    assert item.help == "com.example.asked"
    assert complete_chain(ctx, param, "zz") == []


def test_a_file_that_cannot_be_read_completes_nothing(tmp_path: Path) -> None:
    ctx, param = parameter()
    ctx.params["data"] = tmp_path / "other"
    (tmp_path / "other").write_bytes(b"another program's, and a hundred bytes of it at least." * 9)
    assert complete_chain(ctx, param, "") == []
