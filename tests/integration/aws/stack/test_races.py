"""Two that change one stack at the same time: one does it, the other is told, nothing is broken."""

from __future__ import annotations

from threading import Barrier

from crosswind.cli.faults import LATER
from crosswind.stacks.driver import Sizing
from crosswind_local.aws_sites import AwsSite
from integration.aws.stack.bench import Bench
from integration.aws.stack.terminal import Terminal
from integration.aws.stack.watchman import Watchman, puts

BEGUN = puts("attempts/")
"""The request by which an apply begins: by then it has planned, and was told yes."""

SECONDS = 60.0


def race(terminal: Terminal, site: AwsSite) -> tuple[list[str], list[str]]:
    """Two of the same stack, of different sizes, that begin together: what each has said.

    Returns:
        Those that applied, and those that were refused for now.
    """
    assert site.url is not None
    both = Barrier(2, timeout=SECONDS)
    watchmen = [Watchman(site.url, BEGUN, lambda: meet(both)) for _ in range(2)]
    with watchmen[0], watchmen[1]:
        typed = [
            terminal.begins(
                "apply", "aws", "--memory", memory, "--yes", AWS_ENDPOINT_URL=watchman.url
            )
            for memory, watchman in zip(("1024", "2048"), watchmen, strict=True)
        ]
        ended = [one.ends() for one in typed]
    by_code = {code: [said for other, said in ended if other == code] for code, _ in ended}
    assert set(by_code) <= {0, LATER}, ended
    return by_code.get(0, []), by_code.get(LATER, [])


def meet(both: Barrier) -> None:
    both.wait()


def overtake(bench: Bench, sizing: Sizing) -> None:
    bench.apply(bench.artifacts.first, sizing)


def nothing_is_left_of_it(bench: Bench) -> None:
    assert bench.change_sets() == []
    assert "attempts" not in bench.kept()
    assert "drafts" not in bench.kept()
    assert bench.stack.status().troubles == ()


def test_of_two_first_applies_at_once_one_deploys_and_the_other_is_told(
    terminal: Terminal, emulated: AwsSite
) -> None:
    applied, refused = race(terminal, emulated)

    assert (len(applied), len(refused)) == (1, 1), (applied, refused)
    assert "somebody else" in refused[0]
    assert "plan again" in refused[0]
    bench = terminal.bench
    nothing_is_left_of_it(bench)
    assert [one.outcome for one in bench.stack.history()] == ["applied"]
    assert bench.kept() == ["artifacts", "releases", "templates"]
    terminal.types("remove", "aws", "--yes")
    assert bench.left() == {}


def test_of_two_changes_at_once_one_is_made_and_the_other_is_told(
    terminal: Terminal, emulated: AwsSite
) -> None:
    bench = terminal.bench
    bench.apply(bench.artifacts.first)
    applied, refused = race(terminal, emulated)

    assert (len(applied), len(refused)) == (1, 1), (applied, refused)
    assert "somebody else" in refused[0]
    nothing_is_left_of_it(bench)
    assert [one.outcome for one in bench.stack.history()] == ["applied", "applied"]


def test_what_was_planned_before_somebody_else_changed_the_stack_is_not_applied(
    terminal: Terminal, emulated: AwsSite
) -> None:
    bench = terminal.bench
    bench.apply(bench.artifacts.first)
    assert emulated.url is not None
    quicker = Sizing(memory=2048)
    with Watchman(emulated.url, BEGUN, lambda: overtake(bench, quicker)) as watchman:
        typed = terminal.begins(
            "apply", "aws", "--memory", "1024", "--yes", AWS_ENDPOINT_URL=watchman.url
        )
        code, said = typed.ends()
    assert code == LATER, said
    assert "somebody else has changed stack crosswind-hops since this was planned" in said
    nothing_is_left_of_it(bench)
    assert bench.plan(bench.artifacts.first, quicker).is_empty
    assert len(bench.stack.history()) == 2
