"""Incidents are told once and remembered until they are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crosswind.actions import Call
from crosswind.chains.incidents.operations import OpenIncident, OpenIncidents, ResolveIncident
from crosswind.chains.incidents.performer import IncidentPerformer
from crosswind.embedded.memory import MemoryStore
from crosswind.errors import Unreachable
from crosswind.ports import Change

OPEN = OpenIncident(incident="region:aws/us-east-1", title="t", severity="major", chain="c")
RESOLVE = ResolveIncident(incident="region:aws/us-east-1")


def call(key: str) -> Call:
    return Call(key, 5.0)


def performer(store: MemoryStore | None = None) -> IncidentPerformer:
    return IncidentPerformer(store or MemoryStore(), "shop", lambda: 7.0)


def test_an_incident_is_new_once_until_it_is_resolved() -> None:
    keeps = performer()
    first = keeps.perform(OPEN, call("1"))
    assert first.model_dump()["new"]
    assert not keeps.perform(OPEN, call("2")).model_dump()["new"]
    assert keeps.perform(RESOLVE, call("3")).model_dump() == {"was_open": True}
    assert keeps.perform(OPEN, call("4")).model_dump()["new"]


def test_a_repeated_key_is_given_its_first_answer() -> None:
    keeps = performer()
    assert keeps.perform(OPEN, call("1")) == keeps.perform(OPEN, call("1"))
    assert keeps.perform(RESOLVE, call("2")) == keeps.perform(RESOLVE, call("2"))


def test_what_is_not_open_cannot_be_resolved() -> None:
    assert performer().perform(RESOLVE, call("1")).model_dump() == {"was_open": False}


def test_open_incidents_are_found_by_the_beginning_of_their_name() -> None:
    keeps = performer()
    for name in ("region:a", "region:a:chat", "region:ab", "budget:x"):
        keeps.perform(OPEN.model_copy(update={"incident": name}), call(name))
    keeps.perform(ResolveIncident(incident="region:a:chat"), call("r"))

    def names(prefix: str) -> list[str]:
        found = keeps.answer(OpenIncidents(prefix=prefix), 1.0).incidents
        return [incident.incident for incident in found]

    assert names("region:a") == ["region:a"]
    assert names("") == ["budget:x", "region:a", "region:ab"]


def test_an_answer_that_was_lost_does_not_open_it_twice() -> None:
    class Deaf(MemoryStore):
        deaf = True

        def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
            versions = super().write(partition, changes, token)
            if self.deaf:
                self.deaf = False
                raise Unreachable("the answer was lost")
            return versions

    keeps = performer(Deaf())
    assert keeps.perform(OPEN, call("1")).model_dump()["new"]
    assert len(keeps.answer(OpenIncidents(), 1.0).incidents) == 1
