"""The figures: who is measured against whom, and what the ratio must not exceed."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import archives
from bench.contestants import Contestant, Serving, Starting
from bench.crowd import Crowd
from bench.environments import peer_python
from bench.figure import Figure, figure
from bench.rounds import measure, spread


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: of work within a process.
        starts: rounds of starting processes.
        waiting: depths of the queue, the least first.
        journal: runs in the large journal.
        crowds: numbers of workers, one first.
        events: that a crowd works in a round.
        fleets: random ones that are planned and solved; a tenth as many large ones.
        outages: simulated ones that each policy is played on.
    """

    rounds: int = 41
    starts: int = 21
    waiting: tuple[int, ...] = (10, 1_000, 100_000)
    journal: int = 1_000_000
    crowds: tuple[int, ...] = (1, 2, 4)
    events: int = 3_000
    fleets: int = 600
    outages: int = 300


def codec(plan: Plan) -> Iterator[Figure]:
    """Decode, validate and encode against the official SDK."""
    for blanks, form in ((False, "without blanks"), (True, "with blanks, as the SDK writes it")):
        with ExitStack() as stack:
            measured = measure(
                {
                    "ours": stack.enter_context(Serving("bench.ours.codec", blanks=blanks)),
                    "sdk": stack.enter_context(
                        Serving("bench.peers.sdk", peer_python("sdk"), blanks=blanks)
                    ),
                    "pydantic": stack.enter_context(Serving("bench.ours.bare_pydantic")),
                },
                rounds=plan.rounds,
            )
        yield figure(
            "codec" if not blanks else "codec, text with blanks",
            measured,
            "ours",
            "sdk",
            limit=0.25,
            note=f"600-byte structured event {form}: decode + validate + encode, against "
            "from_json + to_json of cloudevents 1.12.0, which does not validate",
        )
    yield figure(
        "codec by bare pydantic",
        measured,
        "ours",
        "pydantic",
        limit=None,
        note="the same against one pydantic model of the sample, without the rules of CloudEvents",
    )


def decision(plan: Plan) -> Iterator[Figure]:
    """A decision in memory against Powertools."""
    with (
        Serving("bench.ours.decision") as ours,
        Serving("bench.peers.powertools", peer_python("powertools")) as peer,
    ):
        measured = measure({"ours": ours, "powertools": peer}, rounds=plan.rounds)
    yield figure(
        "decision in memory",
        measured,
        "ours",
        "powertools",
        limit=1.0,
        note="body bytes in, one event out: engine on the memory store, published to a memory "
        "bus, settled and listed; against json.loads + idempotent (records in a dict) + "
        "event_parser + json.dumps, which neither journals nor keeps an outbox",
    )


def durable(plan: Plan) -> Iterator[Figure]:
    """A decision on SQLite against SQLite itself, and against DBOS."""
    with ExitStack() as stack:
        contestants: Mapping[str, Contestant] = {
            name: stack.enter_context(serving)
            for name, serving in {
                "decided": Serving("bench.ours.decision", durable=True, settle=False),
                "settled": Serving("bench.ours.decision", durable=True),
                "written": Serving("bench.ours.store_write"),
                "bare decided": Serving("bench.ours.bare_sqlite"),
                "bare settled": Serving("bench.ours.bare_sqlite", settle=True),
                "dbos": Serving("bench.peers.dbos", peer_python("dbos")),
                "dbos alone": Serving("bench.peers.dbos", peer_python("dbos"), pragmas=False),
            }.items()
        }
        measured = measure(contestants, rounds=plan.rounds)
    yield figure(
        "durable write",
        measured,
        "written",
        "bare decided",
        limit=1.5,
        note="the one write of a decision through SqliteStore, without the engine; against one "
        "bare transaction with the same rows, bytes and pragmas (WAL, synchronous=NORMAL)",
    )
    yield figure(
        "durable decision",
        measured,
        "decided",
        "bare decided",
        limit=1.5,
        note="decode, decide, the one write to SqliteStore, publish to a bus that but counts; "
        "against one bare transaction with the same rows, bytes and pragmas (WAL, "
        "synchronous=NORMAL)",
    )
    yield figure(
        "durable decision, whole path to settled",
        measured,
        "settled",
        "bare settled",
        limit=None,
        note="to be read: the same published to a memory bus, then settled and listed in a second "
        "transaction, for each decision by itself; against the same rows in two bare transactions",
    )
    for ours, what in (("decided", ""), ("settled", ", settled")):
        yield figure(
            f"durable decision{what}, by DBOS",
            measured,
            ours,
            "dbos",
            limit=0.05,
            note="against a DBOS workflow of one step on SQLite, given our pragmas",
        )
    yield figure(
        "durable decision, settled, by DBOS as it comes",
        measured,
        "settled",
        "dbos alone",
        limit=None,
        clock="wall",
        note="the same, DBOS with its own pragmas: it waits for the disk at every commit",
    )


def imports(plan: Plan) -> Iterator[Figure]:
    """What `import crosswind` costs."""
    lines = {
        "bare": "pass",
        "pydantic": "import pydantic",
        "model": "import pydantic\nclass M(pydantic.BaseModel):\n    x: int",
        "crosswind": "import crosswind",
        "names": "from crosswind import *",
    }
    home = Path(sys.prefix)
    measured = measure(
        {name: Starting([sys.executable, "-c", line], home) for name, line in lines.items()},
        rounds=plan.starts,
        most=1,
    )
    bare = measured.median("bare", "processor") * 1e3
    yield figure(
        "import",
        measured,
        "crosswind",
        "pydantic",
        limit=1.3,
        unit="ms",
        note=f"whole processes, from start to exit; of these {bare:.1f} ms are the "
        "interpreter with its site; both packages load their names on first use",
    )
    yield figure(
        "import of all names",
        measured,
        "names",
        "model",
        limit=1.3,
        unit="ms",
        note="`from crosswind import *`, for the names are loaded on first use, against "
        "`import pydantic` and one model of one field, which is what any user of pydantic pays",
    )


def start(plan: Plan) -> Iterator[Figure]:
    """From the start of a process to its first event handled, against Cloud Custodian."""
    with tempfile.TemporaryDirectory(prefix="crosswind-bench-") as name:
        folder = Path(name)
        python = peer_python("c7n")
        measured = measure(
            {
                "ours": archives.ours(folder / "ours", True),
                "c7n": archives.custodian(folder / "c7n", python, True),
                "ours uncompiled": archives.ours(folder / "ours-uncompiled", False),
                "c7n uncompiled": archives.custodian(folder / "c7n-uncompiled", python, False),
                "bare": archives.bare(folder / "bare"),
            },
            rounds=plan.starts,
            most=1,
        )
    about = (
        "a process from its start to one event handled, both from their archives; ours decides, "
        "journals in memory and publishes one event; Custodian's loads its policy and finds no "
        "resource, so that it asks AWS nothing"
    )
    yield figure("start", measured, "ours", "c7n", limit=0.6, unit="ms", note=f"compiled: {about}")
    yield figure(
        "start, uncompiled",
        measured,
        "ours uncompiled",
        "c7n uncompiled",
        limit=0.6,
        unit="ms",
        note=f"archives without bytecode, ours with pydantic in it, Custodian's runtime (boto3) "
        f"compiled as on Lambda: {about}",
    )
    yield figure(
        "start by bare Python",
        measured,
        "ours",
        "bare",
        limit=None,
        unit="ms",
        note="compiled; against a handler that only gets the event as JSON",
    )


def flat(plan: Plan) -> Iterator[Figure]:
    """What one event costs while others wait, and with a long journal."""
    least = plan.waiting[0]
    large = f"{plan.journal:,} runs"
    with ExitStack() as stack:
        contestants: dict[str, Contestant] = {
            f"{waiting:,}": stack.enter_context(Serving("bench.ours.waiting", waiting=waiting))
            for waiting in plan.waiting
        }
        contestants[large] = stack.enter_context(
            Serving("bench.ours.waiting", waiting=least, journal=plan.journal)
        )
        # What is worked in a round is little, so that the queue is about as deep all the time.
        measured = measure(contestants, rounds=plan.rounds * 2, most=8)
    for name in list(contestants)[1:]:
        what = f"a journal of {name}" if name == large else f"{name} events waiting"
        yield figure(
            f"flat: {what}",
            measured,
            name,
            f"{least:,}",
            limit=1.25,
            note=f"received, decided, published, settled, acknowledged on one SQLite file, in "
            f"batches of 8: {what}, against {least:,} waiting and an empty journal",
        )


def throughput(plan: Plan) -> Iterator[Figure]:
    """Events a second with several workers, against one."""
    crowds: dict[str, Contestant] = {str(number): Crowd(number) for number in plan.crowds}
    rounds = max(3, plan.rounds // 8)
    took: dict[str, list[float]] = {name: [] for name in crowds}
    for _ in range(rounds):
        for name, crowd in crowds.items():
            took[name].append(crowd.work(plan.events).wall)
    for number in plan.crowds:
        one, many = took["1"], took[str(number)]
        ratios = [a / b for a, b in zip(one, many, strict=True)]
        yield Figure(
            figure=f"throughput, {number} worker{'s' if number > 1 else ''}",
            ratio=median(ratios),
            spread=spread(ratios),
            limit=None,
            ours=plan.events / median(many),
            peer=plan.events / median(one),
            unit="events/s",
            rounds=rounds,
            note=f"{plan.events:,} events through the embedded default, processes that share one "
            "file, by the clock on the wall; more is better. SQLite has one writer at a time",
        )


def loading(plan: Plan) -> Iterator[Figure]:
    """A large fleet from its file, against reading the same file without validating it."""
    for as_json, peer in ((False, "yaml.load with CSafeLoader"), (True, "json.load")):
        with (
            Serving("bench.ours.fleet", as_json=as_json) as ours,
            Serving("bench.ours.bare_loader", as_json=as_json) as bare,
        ):
            measured = measure({"ours": ours, "bare": bare}, rounds=plan.starts, most=1)
        yield figure(
            f"loading a fleet from {'JSON' if as_json else 'YAML'}",
            measured,
            "ours",
            "bare",
            limit=None if as_json else 1.0,
            unit="ms",
            note=f"60 regions and 1,000 workloads, from the file to a validated Fleet; against "
            f"{peer} of the same file, which validates nothing",
        )


def planner(plan: Plan) -> Iterator[Figure]:
    """The planner against the exact solution of the same problems."""
    from bench.planning import compared, large, quantile

    found = list(compared(range(plan.fleets)))
    ours = median(one.ours for one in found) * 1e3
    exact = median(one.exact for one in found) * 1e3
    about = (
        f"{len(found):,} random fleets of 5 to 10 regions and 6 to 30 workloads that lose a "
        "region, a failing domain or a cloud; against the best plan, found by HiGHS; the spread is "
        "the median and the worst, the times are of the whole plan"
    )

    def made(
        name: str, ratio: float, spread: tuple[float, float], limit: float, note: str
    ) -> Figure:
        return Figure(
            figure=f"planner, {name}",
            ratio=ratio,
            spread=spread,
            limit=limit,
            ours=ours,
            peer=exact,
            unit="ms",
            rounds=len(found),
            note=f"{note}; {about}",
        )

    missed = [one for one in found if one.possible and one.gap.stranded]
    wrong = [one for one in found if one.broken]
    possible = sum(one.possible for one in found)
    yield made(
        "plans that are not to be",
        float(len(missed) + len(wrong)),
        (float(len(missed)), float(len(wrong))),
        0.0,
        f"{len(missed)} fleets left a workload without a plan though one exists for all, of "
        f"{possible:,} in which one does; {len(wrong)} plans break a constraint",
    )
    damage = [one.gap.damage for one in found if one.gap.damage is not None]
    money = [one.gap.money for one in found if one.gap.money is not None]
    for what, values, said in (
        ("damage", damage, "demand harmed beyond the best plan, as a share of all, both weighed "
         "100:10:1 by tier"),
        ("money", money, "USD/h beyond the best plan, as a share of it, where nothing that goes "
         "before it differs"),
    ):  # fmt: skip
        spread_of = (quantile(values, 0.5), max(values, default=0.0))
        for share, limit in ((0.5, 0.01), (0.99, 0.05)):
            name = f"gap of {what}, {share:.0%} of the fleets"
            note = f"{said}; of {len(values):,} that can be compared"
            yield made(name, quantile(values, share), spread_of, limit, note)
    took = list(large(range(max(3, plan.fleets // 60))))
    yield Figure(
        figure="planner, 60 regions and 1,000 workloads",
        ratio=max(took) / 0.2,
        spread=(median(took) / 0.2, max(took) / 0.2),
        limit=1.0,
        ours=max(took) * 1e3,
        peer=200.0,
        unit="ms",
        rounds=len(took),
        note="the slowest of some random outages against 200 ms, from what is known of the fleet "
        "to who goes where (processor time); the spread is the median and the slowest",
    )


def packages(plan: Plan) -> Iterator[Figure]:
    """An artifact for AWS Lambda: how long it takes to make, and how large it is."""
    from bench.packages import packages  # it takes the plan from here

    return packages(plan)


def records(plan: Plan) -> Iterator[Figure]:
    """A record on AWS against Powertools, and against one bare write."""
    from bench.aws.figures import records  # the adapter and its SDK, which others do without

    return records(plan.rounds)


def cold(plan: Plan) -> Iterator[Figure]:
    """A cold start on AWS against Powertools and Cloud Custodian."""
    from bench.aws.figures import cold  # the adapter and its SDK, which others do without

    return cold(plan.starts)


def hops(plan: Plan) -> Iterator[Figure]:
    """A hop of a chain on AWS against the bare hop."""
    from bench.aws.figures import hops  # the adapter and its SDK, which others do without

    return hops(plan.rounds)


def policies(plan: Plan) -> Iterator[Figure]:
    """Recovery of simulated outages, against DNS health checks and alarms."""
    from bench.policies.figures import policies  # the engine and the world, which others do without

    return policies(plan.outages)


FIGURES: Mapping[str, Callable[[Plan], Iterator[Figure]]] = {
    each.__name__: each
    for each in (
        codec,
        decision,
        durable,
        imports,
        start,
        flat,
        throughput,
        loading,
        planner,
        packages,
        records,
        cold,
        hops,
        policies,
    )
}
