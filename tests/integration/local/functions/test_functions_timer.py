"""Functions that the clock calls, whose time the test moves."""

import json
from pathlib import Path
from typing import Any

import pytest

from crosswind_local import ManualClock
from crosswind_local.functions_host import FunctionsHost
from crosswind_local.pytest_plugin import FunctionsApp
from integration.local.functions.conftest import AppFolder
from integration.local.functions.desk import call, eventually

TICK = """
    import json

    @app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%")
    def tick(timer: func.TimerRequest):
        told = [timer.past_due, timer.schedule_status, timer.schedule]
        logging.info("tick %s", json.dumps(told))
"""
EVERY_MINUTE = {"SCHEDULE": "0 * * * * *"}
EVERY_HOUR = {"SCHEDULE": "0 0 * * * *"}


def ticks(host: FunctionsHost) -> list[Any]:
    """What each call was told."""
    lines = [line for line in host.log().splitlines() if "tick [" in line]
    return [json.loads(line.partition("tick ")[2].rpartition(" (Id=")[0]) for line in lines]


def test_a_timer_is_due_when_its_expression_says(
    app_folder: AppFolder, functions_app: FunctionsApp
) -> None:
    clock = ManualClock()
    host = functions_app(app_folder(TICK), env=EVERY_HOUR, clock=clock)

    clock.advance(3599)
    assert ticks(host) == []
    clock.advance(1)
    eventually(lambda: len(ticks(host)) == 1)

    (told,) = ticks(host)
    assert told[0] is False
    assert told[1] == {
        "Last": "0001-01-01T00:00:00",
        "LastUpdated": "0001-01-01T00:00:00",
        "Next": "2026-01-01T01:00:00+00:00",
    }
    assert told[2] == {"AdjustForDST": True}


def test_what_fell_due_meanwhile_is_called_one_after_the_other(
    app_folder: AppFolder, functions_app: FunctionsApp
) -> None:
    clock = ManualClock()
    host = functions_app(app_folder(TICK), env=EVERY_MINUTE, clock=clock)

    clock.advance(3 * 60)
    eventually(lambda: len(ticks(host)) == 3)

    assert [told[1]["Last"] for told in ticks(host)[1:]] == [
        "2026-01-01T00:01:00+00:00",
        "2026-01-01T00:02:00+00:00",
    ]


def test_one_that_runs_on_startup_is_called_at_the_start(
    app_folder: AppFolder, functions_app: FunctionsApp
) -> None:
    source = TICK.replace('"%SCHEDULE%"', '"%SCHEDULE%", run_on_startup=True')
    host = functions_app(app_folder(source), env=EVERY_HOUR, clock=ManualClock())

    eventually(lambda: ticks(host))

    assert ticks(host)[0][0] is False


def test_a_later_host_knows_what_was_missed(
    app_folder: AppFolder, functions_app: FunctionsApp, tmp_path: Path
) -> None:
    folder, state = app_folder(TICK), tmp_path / "timers.json"
    clock = ManualClock()
    first = functions_app(folder, env=EVERY_HOUR, clock=clock, state=state)
    clock.advance(3600)
    eventually(lambda: len(ticks(first)) == 1 and state.exists())
    first.stop()

    at_once = functions_app(
        folder, env=EVERY_HOUR, clock=ManualClock(clock.now() + 1800), state=state
    )
    late = functions_app(folder, env=EVERY_HOUR, clock=ManualClock(clock.now() + 7200), state=state)

    eventually(lambda: ticks(late))
    assert ticks(late)[0][0] is True
    assert ticks(at_once) == []


def test_one_that_fails_is_called_again_when_it_is_due(
    app_folder: AppFolder, functions_app: FunctionsApp
) -> None:
    clock = ManualClock()
    folder = app_folder(
        """
        @app.timer_trigger(arg_name="timer", schedule="00:01:00")
        def tick(timer: func.TimerRequest):
            raise RuntimeError("not today")
        """
    )
    host = functions_app(folder, clock=clock)

    clock.advance(60)
    eventually(lambda: _failed(host) == 1)
    clock.advance(60)
    eventually(lambda: _failed(host) == 2)


def _failed(host: FunctionsHost) -> int:
    report: Any = host.report()
    found: int = report["functions"]["tick"]["invocations"].get("failed", 0)
    return found


def test_it_can_be_called_by_hand_over_http(
    app_folder: AppFolder, functions_app: FunctionsApp
) -> None:
    host = functions_app(app_folder(TICK), env=EVERY_HOUR, clock=ManualClock())

    path = f"/admin/functions/tick?code={host.key}"
    assert call(host, path, "POST", {"input": ""}).status == 202
    assert call(host, path, "POST").status == 202

    eventually(lambda: len(ticks(host)) == 2)


def test_a_state_that_is_none_is_an_error_of_the_start(
    app_folder: AppFolder, functions_app: FunctionsApp, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.write_text("{")

    with pytest.raises(OSError, match="state"):
        functions_app(app_folder(TICK), env=EVERY_HOUR, state=state)
