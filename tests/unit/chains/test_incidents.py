"""Incidents are told once and remembered until they are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from crosswind.actions import Call
from crosswind.chains.incidents import kept
from crosswind.chains.incidents.kept import TELLINGS, Kept
from crosswind.chains.incidents.operations import (
    Opened,
    OpenIncident,
    OpenIncidents,
    ResolveIncident,
)
from crosswind.chains.incidents.performer import IncidentPerformer
from crosswind.embedded.memory import MemoryStore
from crosswind.errors import Unreachable
from crosswind.ports import Change

OPEN = OpenIncident(
    incident="region:aws/us-east-1", title="t", severity="major", chain="c", region="aws/us-east-1"
)
RESOLVE = ResolveIncident(incident="region:aws/us-east-1", because="it serves again")


def call(key: str) -> Call:
    return Call(key, 5.0)


class Desk(IncidentPerformer):
    """The performer with a clock that is set, and what it keeps."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.now = 7.0
        self.store = store or MemoryStore()
        super().__init__(self.store, "shop", lambda: self.now)

    def open(self, key: str, **changes: Any) -> Opened:
        opened = self.perform(OPEN.model_copy(update=changes), call(key))
        assert isinstance(opened, Opened)
        return opened

    @property
    def current(self) -> list[Kept]:
        return list(kept.current(self.store, "shop"))

    def past(self, since: float = 0.0) -> list[Kept]:
        return list(kept.past(self.store, "shop", since))


def test_an_incident_is_new_once_until_it_is_resolved() -> None:
    desk = Desk()
    assert desk.open("1").new
    assert not desk.open("2").new
    assert desk.perform(RESOLVE, call("3")).model_dump() == {"was_open": True}
    assert desk.open("4").new


def test_a_repeated_key_is_given_its_first_answer() -> None:
    desk = Desk()
    assert desk.open("1") == desk.open("1")
    assert desk.perform(RESOLVE, call("2")) == desk.perform(RESOLVE, call("2"))
    assert desk.open("1").new, "also when it has been resolved since"


def test_what_is_not_open_cannot_be_resolved() -> None:
    assert Desk().perform(RESOLVE, call("1")).model_dump() == {"was_open": False}


def test_an_incident_that_is_met_again_as_graver_rises_and_never_falls() -> None:
    desk = Desk()
    assert not desk.open("1").raised
    assert desk.open("2", severity="critical").raised
    assert desk.open("2", severity="critical").raised, "the same key, the same answer"
    assert not desk.open("3", severity="minor").raised
    assert not desk.open("4", severity="critical").raised
    assert desk.current[0].severity == "critical"


def test_a_severity_that_nobody_knows_raises_nothing() -> None:
    desk = Desk()
    desk.open("1")
    assert not desk.open("2", severity="odd").raised


def test_each_time_that_it_was_met_is_kept_with_its_chain_and_cause() -> None:
    desk = Desk()
    desk.open("1", cause="no plan")
    desk.now = 9.0
    desk.open("2", chain="d", cause="no plan either")
    (one,) = desk.current
    assert [(told.at, told.chain, told.cause) for told in one.told] == [
        (7.0, "c", "no plan"),
        (9.0, "d", "no plan either"),
    ]
    assert one.since == 7.0


def test_of_very_many_times_the_first_and_the_latest_are_kept() -> None:
    desk = Desk()
    for number in range(TELLINGS + 10):
        desk.open(str(number))
    (one,) = desk.current
    assert len(one.told) == TELLINGS
    assert one.untold == 10
    assert one.told[0].key == "0"
    assert one.told[-1].key == str(TELLINGS + 9)


def test_the_same_trouble_again_later_is_another_incident_and_the_first_is_kept() -> None:
    desk = Desk()
    desk.open("1")
    desk.now = 20.0
    desk.perform(RESOLVE, call("2"))
    desk.now = 30.0
    desk.open("3")
    (one,) = desk.current
    (before,) = desk.past()
    assert before.id != one.id
    assert (before.since, before.until, before.because) == (7.0, 20.0, "it serves again")
    assert one.open
    assert desk.past(since=25.0) == []


def test_who_resolved_it_is_kept() -> None:
    desk = Desk()
    desk.open("1")
    desk.perform(RESOLVE.model_copy(update={"by": "ann@example.com"}), call("2"))
    assert desk.past()[0].by == "ann@example.com"


def test_open_incidents_are_found_by_the_beginning_of_their_name() -> None:
    desk = Desk()
    for name in ("region:a", "region:a:chat", "region:ab", "budget:x"):
        desk.open(name, incident=name)
    desk.perform(ResolveIncident(incident="region:a:chat"), call("r"))

    def names(prefix: str) -> list[str]:
        found = desk.answer(OpenIncidents(prefix=prefix), 1.0).incidents
        return [incident.incident for incident in found]

    assert names("region:a") == ["region:a"]
    assert names("") == ["budget:x", "region:a", "region:ab"]


def test_more_incidents_than_fit_on_a_page_are_all_found() -> None:
    desk = Desk()
    for number in range(205):
        desk.open(f"o{number}", incident=f"i:{number}")
    assert len(desk.current) == 205
    for number in range(205):
        desk.perform(ResolveIncident(incident=f"i:{number}"), call(f"r{number}"))
    assert len(desk.past()) == 205
    assert len(desk.answer(OpenIncidents(), 1.0).incidents) == 0


@pytest.mark.parametrize("action", [OPEN, RESOLVE])
def test_an_answer_that_was_lost_does_not_do_it_twice(
    action: OpenIncident | ResolveIncident,
) -> None:
    class Deaf(MemoryStore):
        deaf = False

        def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
            versions = super().write(partition, changes, token)
            if self.deaf:
                self.deaf = False
                raise Unreachable("the answer was lost")
            return versions

    store = Deaf()
    desk = Desk(store)
    if action is RESOLVE:
        desk.open("0")
    store.deaf = True
    done = desk.perform(action, call("1")).model_dump()
    assert done.get("new", done.get("was_open"))
    assert len(desk.current) == 1
    assert len(desk.past()) == (action is RESOLVE)
