"""The promises, held against what is left when faults have ended and time has passed.

nothing is lost         every event has led each of its handlers to one end, or is parked
nothing is said twice   a decision commits once, and what it says is always the same
nothing is done twice   an action is asked for with one key, as its journal says
nothing is left open    every chain that can end has ended or is declared stalled
nothing is hidden       what was decided was published, and every chain is listed
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from crosswind.records.head import Head
from crosswind.records.identity import (
    EVIDENCE,
    HEAD,
    RUN,
    action_key,
    chain_partition,
    run_key,
)
from crosswind.records.record import FINISHED, Record
from crosswind_events import Event
from crosswind_events.catalogue.chain import ChainDeadline, RunResume
from integration.proof.plans import START

if TYPE_CHECKING:
    from integration.proof.director import Director

_DROPPED: Final = (
    "the chain is closed",
    "its timer outlived the chain",
    "its timer was cancelled",
    "it joined chain",
)
"""What a run may be dropped for in any play."""


def kept(director: Director) -> None:
    """Assert that every promise was kept.

    Raises:
        AssertionError: names the promises that were broken, and tells the story.
    """
    faults = [*director.crashes, *director.witness.broken, *director.watch.faults]
    for promise in (*PROMISES, *director.scenario.promises):
        faults += promise(director)
    if faults:
        found = "\n  ".join(dict.fromkeys(faults))
        raise AssertionError(f"broken:\n  {found}\n{director.story()}")


def every_run_has_ended(director: Director) -> Iterator[str]:
    """Nothing is left claimed, suspended or waiting for another attempt."""
    for partition, record in director.witness.records():
        if record.state not in FINISHED:
            yield f"run of {record.handler} in {partition} is {record.state}: {record.why}"
        if record.state == "dropped":
            legitimate = (*_DROPPED, *director.scenario.drops)
            if not any(why in record.why for why in legitimate):
                yield f"run of {record.handler} was dropped: {record.why}"


def every_event_has_led_to_its_runs(director: Director) -> Iterator[str]:
    """Each handler of each event has exactly one run that counts, or the event is parked."""
    app = director.apps[director.scenario.versions]
    runs: dict[str, list[Record]] = defaultdict(list)
    for _, record in director.witness.records():
        if not record.why.startswith("it joined chain"):
            runs[record.run].append(record)
    parked = {from_json(item.value)["message"] for _, item in director.witness.items("dead:")}
    for message in director.post.published:
        event: Event[Any] = app.codec.decode(message.body)
        if event.type in (RunResume.event_type, ChainDeadline.event_type):
            continue
        for handler in app.by_type.get(event.type, ()):
            if not handler.matches(event) or message.id in parked:
                continue
            found = runs[run_key(handler.key_name, event.source, event.id)]
            if len(found) != 1:
                states = [record.state for record in found]
                yield f"{event.type} has led {handler.name} to {len(found)} runs: {states}"


def every_decision_was_published(director: Director) -> Iterator[str]:
    """What stands in an outbox is with the bus, to the byte."""
    sent = {(message.id, message.body) for message in director.post.published}
    for _, record in director.witness.records():
        for out in record.out:
            if (out.message_id, to_json(from_json(out.body))) not in sent and (
                out.message_id,
                out.body,
            ) not in sent:
                yield f"{out.attributes.get('type')} of {record.handler} was never published"


def an_event_is_always_the_same(director: Director) -> Iterator[str]:
    """Whatever was published under one id had one body."""
    bodies: dict[Any, set[bytes]] = defaultdict(set)
    for message in director.post.published:
        # Who wakes a run says when it was woken: a timer, or the person who has answered.
        if message.attributes["type"] not in (RunResume.event_type, *director.scenario.varying):
            bodies[message.attributes["id"]].add(message.body)
    for name, found in bodies.items():
        if len(found) > 1:
            yield f"event {name} was published with {len(found)} bodies: {sorted(found)}"


def every_chain_has_ended(director: Director) -> Iterator[str]:
    """What can end has; what has a run has a head."""
    witness = director.witness
    for partition in witness.partitions("chain:", limit=100_000):
        item = witness.peek(partition, HEAD)
        runs = [record for where, record in witness.records() if where == partition]
        if item is None:
            if any(not run.why.startswith("it joined chain") for run in runs) and not all(
                run.state in ("dropped", "failed") for run in runs
            ):
                yield f"{partition} has runs and no head"
        elif Head.decode(item.value).open and director.scenario.ends:
            yield f"{partition} is still open"


def every_chain_ends_once(director: Director) -> Iterator[str]:
    """One end is published for a chain, and one more for each time it was opened again."""
    ends: dict[str, set[Any]] = defaultdict(set)
    known = {data.event_type: data for data in director.apps[1].codec.types}
    for message in director.post.published:
        data = known.get(str(message.attributes["type"]))
        if data is not None and data.ends:
            ends[str(message.attributes.get("correlationid"))].add(message.attributes["id"])
    for chain, found in ends.items():
        item = director.witness.peek(chain_partition(chain), HEAD)
        reopened = 0 if item is None else Head.decode(item.value).generation
        if len(found) > 1 + reopened:
            yield f"chain {chain} has ended {len(found)} times"


def every_action_was_taken_once(director: Director) -> Iterator[str]:
    """One effect by key, and the arguments of a key never change."""
    plant = director.plant
    for key, times in Counter(key for key, _ in plant.applied).items():
        if times > 1:
            yield f"action {key} took effect {times} times"
    arguments: dict[str, set[bytes]] = defaultdict(set)
    for asked in director.watch.asked:
        arguments[asked.key].add(to_json([asked.action.kind, asked.action.model_dump(mode="json")]))
    for key, found in arguments.items():
        if len(found) > 1:
            yield f"action {key} was asked for with {len(found)} different arguments"


def the_journal_agrees_with_the_world(director: Director) -> Iterator[str]:
    """What it says was done was, with this result; what it says was not done was not."""
    plant = director.plant
    kinds = {f"act:{action.kind}" for action in plant.performs}
    for _, record in director.witness.records():
        acts = [entry for entry in record.log if entry.is_action]
        for index, entry in enumerate(acts):
            if entry.kind not in kinds:
                continue
            done = plant.done.get(action_key(record.chain, record.run, index))
            if entry.simulated or entry.refused is not None:
                if done is not None:
                    yield f"{entry.kind} of {record.handler} is not to be done, and was"
            elif entry.done and done is None:
                yield f"{entry.kind} of {record.handler} is recorded and was never asked for"
            elif entry.done and done is not None and done.model_dump(mode="json") != entry.result:
                yield f"{entry.kind} of {record.handler} is recorded with another result"


def evidence_is_counted(director: Director) -> Iterator[str]:
    """Each first event of a flight is evidence in one chain, and each head counts all of its."""
    witness, app = director.witness, director.apps[1]
    found: dict[str, list[str]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for partition, item in witness.items("chain:"):
        if item.key.startswith(EVIDENCE):
            found[item.key.removeprefix(EVIDENCE)].append(partition)
            counts[partition] += 1
    for partition, count in counts.items():
        head = witness.peek(partition, HEAD)
        if head is None or Head.decode(head.value).evidence != count:
            counted = None if head is None else Head.decode(head.value).evidence
            yield f"the head of {partition} counts {counted} pieces of evidence of {count}"
    failed = {record.run for _, record in witness.records() if record.state == "failed"}
    dropped = {
        record.run
        for _, record in witness.records()
        if any(why in record.why for why in director.scenario.drops)
    }
    for spoken in director.scenario.events:
        event = spoken.event(START)
        runs = [
            run_key(handler.key_name, event.source, event.id)
            for handler in app.by_type.get(event.type, ())
            if handler.flight is not None
        ]
        if not runs or failed.union(dropped).intersection(runs):
            continue
        heard = {partition for run in runs for partition in found[run]}
        if len(heard) != 1:
            yield f"event {event.id} is evidence in {len(heard)} chains: {sorted(heard)}"


def the_end_has_heard_everything(director: Director) -> Iterator[str]:
    """A run that has looked at the evidence last of all closes its chain on all of it."""
    witness = director.witness
    for partition, record in witness.records():
        seen = [entry for entry in record.log if entry.kind == "evidence" or entry.is_action]
        if record.state != "committed" or not seen or seen[-1].is_action:
            continue
        committed = next(
            one.number
            for one in witness.history[partition, RUN + record.run]
            if one.value is not None and Record.decode(one.value).state == "committed"
        )
        for one in witness.history[partition, HEAD]:
            if one.number == committed and one.value is not None:
                head = Head.decode(one.value)
                if not head.open and head.evidence != len(seen[-1].result):
                    yield (
                        f"{record.handler} has closed {partition} on {len(seen[-1].result)} of "
                        f"{head.evidence} pieces of evidence"
                    )


def limits_are_counted(director: Director) -> Iterator[str]:
    """No use of a limit is lost, and none is passed without approval."""
    fleet = director.scenario.fleet
    if fleet is None:
        return
    used: Counter[str] = Counter()
    unasked: Counter[str] = Counter()
    counters: dict[str, float] = {}
    for _, item in director.witness.items("fleet:"):
        kind, _, rest = item.key.partition(":")
        if kind == "use":
            name, _, key = rest.rpartition(":")
            use = from_json(item.value)
            amount = use["amount"]
            if "window" in use:
                name = f"{name}:{use['window']}"
            used[name] += amount
            acting = director.witness.actions.get(key)
            if acting is None or acting.entry.mode == "act":
                unasked[name] += amount
        elif kind == "count":
            counters[rest] = from_json(item.value)["used"]
    for name, count in counters.items():
        if abs(used[name] - count) > 1e-9:
            yield f"counter {name} says {count}, its uses sum to {used[name]}"
        most = next(one.most for one in fleet.limits if name.startswith(one.limit))
        if unasked[name] > most + 1e-9:
            yield f"{unasked[name]} of {most} were used of {name} without approval"


def every_chain_is_listed(director: Director) -> Iterator[str]:
    """A chain in which anything was recorded of a first event can be found."""
    listed = {item.key for _, item in director.witness.items("index:")}
    for _, record in director.witness.records():
        if record.first and record.chain not in listed:
            yield f"chain {record.chain} is not listed"


PROMISES: Final[tuple[Callable[[Director], Iterator[str]], ...]] = (
    every_run_has_ended,
    every_event_has_led_to_its_runs,
    every_decision_was_published,
    an_event_is_always_the_same,
    every_chain_has_ended,
    every_chain_ends_once,
    every_action_was_taken_once,
    the_journal_agrees_with_the_world,
    evidence_is_counted,
    the_end_has_heard_everything,
    limits_are_counted,
    every_chain_is_listed,
)
