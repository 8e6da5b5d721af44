"""An apply that is stopped at any of its phases, and what whoever comes next finds and does."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from contract.aws_stack import eventually
from crosswind.stacks.attempt import LEASE
from crosswind.stacks.driver import Sizing
from crosswind_aws.stack.aws import Aws
from crosswind_aws.stack.deployed import AwsStack
from crosswind_local.aws_sites import AwsSite
from integration.aws.stack.bench import Bench
from integration.aws.stack.terminal import Terminal, Typed
from integration.aws.stack.watchman import PHASES, UNCHANGED, Watchman, action

STACK = "crosswind-hops"
KILLED = -signal.SIGKILL


@contextmanager
def stopping(
    site: AwsSite, phase: str, how: signal.Signals, *, planned: bool = False
) -> Iterator[Callable[..., Typed]]:
    """Types a command that is sent a signal when it comes to a phase.

    Args:
        planned: whether it asks for a change set to plan by before.
    """
    assert site.url is not None
    asks, lets_pass = PHASES[phase]
    time = 2 if planned and "change-set-is-asked-for" in phase else 1
    with Watchman(site.url, asks, lets_pass=lets_pass, time=time) as watchman:

        def types(terminal: Terminal, *words: str) -> Typed:
            typed = terminal.begins(*words, AWS_ENDPOINT_URL=watchman.url)
            watchman.act = lambda: typed.process.send_signal(how)
            return typed

        yield types


def kill(site: AwsSite, terminal: Terminal, phase: str, *, planned: bool = False) -> None:
    with stopping(site, phase, signal.SIGKILL, planned=planned) as types:
        code, said = types(terminal, "apply", "aws", "--yes").ends()
    assert code == KILLED, said
    assert eventually(lambda: not is_changing())


def is_changing() -> bool:
    found = Aws().cloudformation.list_stacks()["StackSummaries"]
    return any(
        one["StackStatus"].endswith("_IN_PROGRESS") and one["StackStatus"] != "REVIEW_IN_PROGRESS"
        for one in found
    )


def later(bench: Bench) -> AwsStack:
    """The stack, when everything that was begun and has not ended is given up."""
    return AwsStack(STACK, Aws(), clock=lambda: bench.site.now() + LEASE + 1)


@pytest.mark.parametrize("phase", list(PHASES)[1::2])
def test_after_a_first_apply_that_was_killed_the_next_says_so_and_deploys(
    terminal: Terminal, emulated: AwsSite, phase: str
) -> None:
    kill(emulated, terminal, phase)

    untouched = phase in UNCHANGED
    found = terminal.types("status", "aws", code=3 if untouched else 1)
    assert re.search(r"began to apply [0-9a-f]{12} at .*(has not ended|was stopped)", found.output)
    planned = terminal.types("plan", "aws")
    assert "began to apply" in planned.stderr
    assert ("to add" if untouched else "nothing is to be done") in planned.stdout

    if not untouched:
        assert len(terminal.reads("history", "aws")) == 1
    terminal.types("apply", "aws", "--memory", "1024", "--yes")
    assert len(terminal.reads("history", "aws")) == (1 if untouched else 2)
    bench = terminal.bench
    assert bench.stack.status().troubles == ()
    releases = 1 if untouched else 2
    assert bench.kept() == ["artifacts"] + ["releases"] * releases + ["templates"] * releases
    terminal.types("remove", "aws", "--yes")
    assert bench.left() == {}


@pytest.mark.parametrize("phase", list(PHASES)[0::2])
def test_after_a_change_that_was_killed_what_it_has_left_is_cleared_up(
    terminal: Terminal, emulated: AwsSite, phase: str
) -> None:
    bench = terminal.bench
    first = bench.apply(bench.artifacts.first)
    terminal.has("second")
    kill(emulated, terminal, phase, planned=True)

    # One that is not of this release, so that what was uploaded is of no use to it.
    stack = later(bench)
    plan = stack.plan(bench.request(bench.artifacts.first, Sizing(memory=1024)))
    assert any("was stopped" in note for note in plan.notes)
    stack.apply(plan, bench.steps.append)

    assert bench.change_sets() == []
    untouched = phase in UNCHANGED
    # The killed command's clock is that of this machine, and may be behind the emulator's.
    digests = sorted(one.digest for one in stack.history())
    second = terminal.digests["second"]
    assert digests == sorted([first.digest, first.digest, *([] if untouched else [second])])
    artifacts, releases = (1, 2) if untouched else (2, 3)
    templates = ["templates"] * releases
    assert bench.kept() == ["artifacts"] * artifacts + ["releases"] * releases + templates
    assert not any("began to apply" in one for one in stack.status().troubles)


@pytest.mark.parametrize("phase", list(PHASES)[1:4:2])
def test_what_a_killed_apply_has_left_is_taken_away_with_the_stack(
    terminal: Terminal, emulated: AwsSite, phase: str
) -> None:
    kill(emulated, terminal, phase)
    terminal.types("remove", "aws", "--yes")
    assert terminal.bench.left() == {}


def test_a_release_that_went_through_unseen_is_returned_to(
    terminal: Terminal, emulated: AwsSite
) -> None:
    kill(emulated, terminal, "after-the-change-set-is-executed")
    terminal.has("second")
    terminal.types("apply", "aws", "--yes")
    returned = terminal.reads("rollback", "aws", "--yes")
    assert returned["digest"] == terminal.digests["first"]


def test_a_plan_that_was_killed_leaves_a_change_set_that_the_next_apply_clears(
    terminal: Terminal, emulated: AwsSite
) -> None:
    bench = terminal.bench
    bench.apply(bench.artifacts.first)
    terminal.has("second")
    assert emulated.url is not None
    with Watchman(emulated.url, action("DescribeChangeSet")) as watchman:
        typed = terminal.begins("plan", "aws", AWS_ENDPOINT_URL=watchman.url)
        watchman.act = typed.process.kill
        assert typed.ends()[0] == KILLED
    assert len(bench.change_sets()) == 1
    bench.stack = later(bench)
    bench.apply(bench.artifacts.second)
    assert bench.change_sets() == []


@pytest.mark.parametrize("phase", sorted(UNCHANGED))
def test_ctrl_c_before_the_change_leaves_nothing_and_says_so(
    terminal: Terminal, emulated: AwsSite, phase: str
) -> None:
    with stopping(emulated, phase, signal.SIGINT) as types:
        code, said = types(terminal, "apply", "aws", "--yes").ends()
    assert code == 130, said
    assert "nothing was changed: stack crosswind-hops is as it was. Apply again" in said
    assert terminal.bench.left() == {}


def test_ctrl_c_during_the_change_says_that_it_goes_on_and_how_to_look_at_it(
    terminal: Terminal, emulated: AwsSite
) -> None:
    with stopping(emulated, "after-the-change-set-is-executed", signal.SIGINT) as types:
        code, said = types(terminal, "apply", "aws", "--yes").ends()
    assert code == 130, said
    assert "carries the change of stack crosswind-hops out all the same" in said
    assert "crosswind stack status; take it away with crosswind stack remove" in said
    assert eventually(lambda: not is_changing())
    assert (
        "went through, and the next apply adds it" in terminal.types("status", "aws", code=1).output
    )
    assert len(terminal.reads("history", "aws")) == 1


def test_ctrl_c_during_a_removal_says_how_to_take_the_rest_away(
    terminal: Terminal, emulated: AwsSite
) -> None:
    terminal.types("apply", "aws", "--yes")
    assert emulated.url is not None
    with Watchman(emulated.url, action("DeleteStack")) as watchman:
        typed = terminal.begins("remove", "aws", "--yes", AWS_ENDPOINT_URL=watchman.url)
        watchman.act = lambda: typed.process.send_signal(signal.SIGINT)
        code, said = typed.ends()
    assert code == 130, said
    assert "Take the rest away with: crosswind stack remove" in said
    terminal.types("remove", "aws", "--yes")
    assert terminal.bench.left() == {}
