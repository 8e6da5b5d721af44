"""An app that nobody tells anything: what it knows, it has found by schedule.

Packaged, deployed by a stack and run as in `test_production`, with this beside: schedules are those
of the stack, and each tick comes from one; endpoints are servers that go down and come back; and
emulator and functions are on one clock, which is moved as fast as the app works. So the times are
those of production: half a minute between rounds of probes, minutes of soaking, hours of waiting.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import boto3
import pytest

from crosswind.chains.drift.detection import GRACE
from crosswind.cli.faults import NOTHING
from crosswind.journal.chain import Chain
from crosswind.records.identity import chain_id
from crosswind_aws.schedules import EARLY
from crosswind_local.aws_sites import AwsSite, elsewhere
from crosswind_local.ministack import Ministack
from e2e.aws.conftest import HOME, TIMEOUT
from e2e.aws.estate import EAST, EUROPE, Endpoint, Estate, answering
from e2e.aws.passing import STEP, Passing
from e2e.aws.scheduled.ops import DRIFT, PROBES, Promised, app
from e2e.aws.terminal import Terminal, project
from e2e.aws.watching import SOURCE, STACK, UNHEALTHY, Watch

ACCOUNT: Final = "111122223333"
CALLS: Final = "4"
SOAK: Final = 120.0
BACK: Final = {"east": 128, "europe": 128}
LEFT: Final = {"east": 0, "europe": 255}

BOTH: Final = {("probe", "home"), ("probe", "away")}
HOURS: Final = 7_200.0

TOLD: Final = "dev.crosswind."
RECOVERED: Final = "region.recovered"
IDLE: Final = {None, "replaced", "nothing-to-do"}
"""How chains stand or have ended that did nothing."""
DATA: Final = f"aws:{STACK}"


class Deployed(NamedTuple):
    """The app of `scheduled`, the endpoint that it looks at, and time, which passes there."""

    site: AwsSite
    terminal: Terminal
    estate: Estate
    east: Endpoint
    watch: Watch
    time: Passing


class Told(NamedTuple):
    """A chain that has ended, after so many seconds since what it is about, and the weights then.

    They are those of the one clock: what a busy machine takes longer for the work counts as well.
    """

    chain: Chain
    seconds: float
    weights: dict[str, int]


@pytest.fixture(scope="module")
def deployed(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The app of `scheduled`, packaged and deployed; both of its regions answer."""
    if elsewhere() is not None:
        pytest.skip("hours pass here, on a clock that only an emulator of ours can move")
    with ExitStack() as stack:
        site = AwsSite(stack.enter_context(Ministack(moves_functions=True)))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        place = site.env(ACCOUNT, HOME)
        for name, value in place.items():
            patch.setenv(name, value)
        # The default session keeps the credentials that it found first, those of another test.
        patch.setattr("boto3.DEFAULT_SESSION", None)
        east, europe = (stack.enter_context(answering()) for _ in range(2))
        estate = Estate(europe.url, east.url)
        folder = project(tmp_path_factory.mktemp("scheduled") / "ops", "scheduled")
        terminal = Terminal(folder, wheels, place)
        estate.declare(folder)
        terminal.package()
        # Few processes of each function: every one that is begun unpacks the artifact for itself.
        terminal.applies(TIMEOUT, "--concurrency", CALLS)
        watch = Watch(ACCOUNT, site.now)
        yield Deployed(site, terminal, estate, east, watch, Passing(site, STACK, TIMEOUT))


@pytest.fixture(scope="module")
def calm(deployed: Deployed) -> Deployed:
    """Two minutes have passed, in which nothing happened."""
    deployed.time.pass_by(120.0, PROBES)
    return deployed


@pytest.fixture(scope="module")
def left(calm: Deployed) -> Told:
    """The endpoint in the east has gone down, and its region was left."""
    began = calm.site.now()
    calm.east.fall()
    assert calm.time.until(lambda: _ended(calm, UNHEALTHY), 600.0), calm.watch.told()
    return Told(_chain(calm, UNHEALTHY), calm.site.now() - began, calm.estate.weights())


@pytest.fixture(scope="module")
def returned(calm: Deployed, left: Told) -> Told:
    """The endpoint has come back, and with it the traffic of its region."""
    began = calm.site.now()
    calm.east.rise()
    assert calm.time.until(lambda: _ended(calm, RECOVERED), 1_200.0), calm.watch.told(RECOVERED)
    return Told(_chain(calm, RECOVERED), calm.site.now() - began, calm.estate.weights())


def test_ticks_come_from_the_schedules_of_the_stack_and_say_nothing_while_all_is_well(
    calm: Deployed,
) -> None:
    runs = [run for chain in calm.watch.chains("schedule.tick") for run in chain.runs]
    ticks = [run for run in runs if run.event["type"] == TOLD + "schedule.tick.v1"]

    due = [datetime.fromisoformat(run.event["data"]["due"]) for run in ticks]
    assert all((at.second, at.microsecond) == (0, 0) for at in due)
    by = {
        handler: [r for r in ticks if handler in r.record.handler]
        for handler in ("probes", "drift")
    }
    # Two rounds of probes in each minute, one of them by a schedule that delays.
    assert len(by["probes"]) >= 3
    assert any(run.event["id"].endswith(" +30") for run in by["probes"])
    assert len(by["drift"]) >= 1
    assert {run.record.state for run in runs} == {"committed"}
    assert calm.watch.chains("region.") == []
    assert calm.watch.parked() == []


def test_an_endpoint_that_goes_down_is_noticed_by_probes_alone_and_its_region_left(
    calm: Deployed, left: Told
) -> None:
    chain = left.chain
    assert chain.head is not None
    assert chain.head.outcome == "completed"
    believed = calm.watch.traced(chain)["believed"]
    assert "2 of 2 needed about chat" in believed["because"]
    assert {(piece["kind"], piece["vantage"]) for piece in believed["pieces"]} == BOTH
    assert calm.watch.said(chain)[TOLD + "failover.completed.v1"] == 1
    assert left.weights == LEFT
    # A round of probes at most until it is seen, and two steps with a pause between them.
    assert left.seconds <= 300.0


def test_once_it_answers_again_both_vantages_prove_it_it_soaks_and_gets_its_traffic_back(
    calm: Deployed, left: Told, returned: Told
) -> None:
    chain = returned.chain
    assert chain.head is not None
    assert chain.head.outcome == "recovered"
    (confirmed,) = _said(chain, "recovery.confirmed.v1")
    assert "2 of 2 needed" in confirmed["data"]["because"]
    assert {(one["kind"], one["vantage"]) for one in confirmed["data"]["pieces"]} == BOTH
    (begun,) = _said(chain, "failback.begun.v1")
    assert _between(confirmed, begun) >= SOAK
    assert len(_said(chain, "failback.completed.v1")) == 1
    assert returned.weights == BACK
    assert calm.estate.tasks() == {EAST: 2, EUROPE: 2}


def test_a_weight_that_was_changed_by_hand_is_found_by_schedule_and_set_back(
    calm: Deployed, returned: Told
) -> None:
    # A look amid the last step of the way back may have found that it differs: that is over first.
    calm.time.pass_by(GRACE + STEP)
    began = calm.site.now()
    calm.estate.set_weight("east", 10)

    assert calm.time.until(lambda: _ended(calm, "drift.detected"), 300.0)

    seconds = calm.site.now() - began
    assert calm.watch.outcomes("drift.detected") == {"reconciled": 1}
    assert calm.estate.weights() == BACK
    detected = _chain(calm, "drift.detected").runs[0].event["data"]
    assert detected["actual"] != detected["intended"]
    # It was looked at twice, half a minute apart.
    assert GRACE <= seconds <= DRIFT + GRACE + 180.0


def test_what_is_due_in_two_hours_is_kept_by_a_schedule_of_its_own_that_is_gone_afterwards(
    calm: Deployed,
) -> None:
    calm.watch.put([(Promised(seconds=HOURS), "promise")])
    assert calm.time.until(lambda: bool(_set_for(calm.site.now() + HOURS)), 60.0)
    ((name, at),) = _set_for(calm.site.now() + HOURS).items()

    calm.site.let_pass(at - calm.site.now() - 200.0)
    calm.time.settle()
    assert _handlers(calm) == ["promise"]
    assert name in _one_time()
    # It sends a minute early, is gone with that, and the queue holds what it has sent.
    calm.site.let_pass(at - calm.site.now() + 10.0)
    assert name not in _one_time()
    calm.time.settle()
    assert _handlers(calm) == ["promise"]
    assert calm.time.until(lambda: calm.watch.outcome("promise") == "completed", 120.0)

    (kept,) = _said_of(calm.watch.chain(chain_id(SOURCE, "promise")), "com.example.kept.v1")
    assert EARLY <= _at(kept) - at <= EARLY + 120.0


def test_after_all_of_that_nothing_is_parked_or_dead_and_no_incident_is_open(
    calm: Deployed, returned: Told
) -> None:
    calm.time.settle()
    assert calm.watch.parked() == []
    assert not any(calm.watch.depth(group, dead=True) for group in app.groups)
    said = calm.terminal.types
    assert said("dlq", "list", "--data", DATA, code=NOTHING) == []
    assert said("incident", "list", "--open", "--data", DATA, code=NOTHING) == []


def _ended(deployed: Deployed, kind: str) -> bool:
    """Whether a chain of a kind that did anything has ended."""
    return any(chain.head and chain.head.outcome for chain in _acted(deployed, kind))


def _chain(deployed: Deployed, kind: str) -> Chain:
    """The one chain of a kind that did anything.

    A word that comes while it is open joins it. One that its end overtakes begins a chain of its
    own, as that of a round at the very end does, which finds nothing left to do.
    """
    acted = _acted(deployed, kind)
    assert len(acted) == 1, deployed.watch.told(kind)
    heads = [chain.head for chain in deployed.watch.chains(kind) if chain.id != acted[0].id]
    assert all(head is None or head.outcome in IDLE for head in heads), deployed.watch.told(kind)
    return acted[0]


def _acted(deployed: Deployed, kind: str) -> list[Chain]:
    return [chain for chain in deployed.watch.chains(kind) if deployed.watch.done(chain)]


def _handlers(deployed: Deployed) -> list[str]:
    """Whose runs there are of the promise, in order."""
    chain = deployed.watch.chain(chain_id(SOURCE, "promise"))
    return [run.record.handler for run in chain.runs]


def _said(chain: Chain, kind: str) -> list[Any]:
    """The events of a kind of ours that a chain has said."""
    return _said_of(chain, TOLD + kind)


def _said_of(chain: Chain, kind: str) -> list[Any]:
    told = (one.event for run in chain.runs for one in run.emitted())
    return [event for event in told if event["type"] == kind]


def _at(event: Any) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()


def _between(first: Any, second: Any) -> float:
    return _at(second) - _at(first)


def _one_time() -> dict[str, float]:
    """The one-time schedules of the stack, and when they are due."""
    scheduler = boto3.client("scheduler")
    found = {}
    for one in scheduler.list_schedules(GroupName=STACK)["Schedules"]:
        expression = scheduler.get_schedule(Name=one["Name"], GroupName=STACK)["ScheduleExpression"]
        if expression.startswith("at("):
            at = datetime.fromisoformat(expression[3:-1]).replace(tzinfo=UTC)
            found[one["Name"]] = at.timestamp()
    return found


def _set_for(due: float) -> dict[str, float]:
    """Those by which something is sent that is due at a time, or some minutes before."""
    return {name: at for name, at in _one_time().items() if -300.0 <= at + EARLY - due <= 1.0}
