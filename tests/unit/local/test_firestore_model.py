"""Documents and transactions against a plain model: preconditions, locks, age, isolation.

The model keeps documents as dictionaries and looks through all open transactions whenever it is
asked. The machine checks every outcome against it. A commit that would have to wait fails at once,
as its caller is impatient, so each step is one of a serial history: what a transaction has read
must still be so when it commits.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from crosswind_local.clock import ManualClock
from crosswind_local.errors import ServiceError
from crosswind_local.firestore.consistency import Consistency, Options
from crosswind_local.firestore.engine import Engine
from crosswind_local.firestore.memory import DocumentMemory
from crosswind_local.firestore.protocol import (
    Document,
    DocumentMask,
    StructuredQuery,
    Value,
    Write,
    micros,
    timestamp,
)
from crosswind_local.firestore.queries import Query
from crosswind_local.firestore.writes import plan_all
from unit.local.firestore_caller import Impatient
from unit.local.model_steps import model_settings

DATABASE = "projects/p/databases/(default)"
ROOT = f"{DATABASE}/documents"
NAMES = [f"{ROOT}/c/{id}" for id in "abc"]

Fields = dict[str, int]
WRITES = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(NAMES),
            "kind": st.sampled_from(["set", "merge", "add", "delete"]),
            "field": st.sampled_from("mn"),
            "value": st.integers(0, 3),
            "condition": st.sampled_from([None] * 8 + ["exists", "missing", "now", "old"]),
        }
    ),
    min_size=1,
    max_size=3,
)
START = {"kind": "set", "field": "n", "value": 2, "condition": None}

any_open = precondition(lambda machine: machine.open)


@dataclass
class Open:
    """One transaction: what it has read, and its place in line."""

    id: bytes
    age: tuple[int, int]
    began: float
    used: float
    read: dict[str, Fields | None] = field(default_factory=dict)
    above: list[int] = field(default_factory=list)
    snapshot: dict[str, Fields] | None = None


class Machine(RuleBasedStateMachine):
    @initialize()
    def begin_all(self) -> None:
        self.clock = ManualClock()
        self.memory = DocumentMemory()
        self.engine = Engine(self.clock, self.memory)
        self.documents: dict[str, Fields] = {}
        self.versions: dict[str, int] = {}
        self.open: list[Open] = []
        self.aborted: list[Open] = []
        self.ended: list[bytes] = []
        self.line = 0
        self.past: list[tuple[int, float, dict[str, Fields]]] = []
        self.changed: set[str] = set()
        self.commit(None, [{**START, "name": name} for name in NAMES[:2]])
        for _ in range(3):
            self.begin(read_only=False)

    # Reading

    @rule()
    def read_all(self) -> None:
        found, view = self.engine.get(DATABASE, NAMES, Consistency())
        assert {name: plain(d) for name, d in found if d is not None} == self.documents
        self.past.append((view.read_time, self.clock.now(), dict(self.documents)))

    @precondition(lambda machine: machine.past)
    @rule(which=st.integers(0, 99))
    def read_the_past(self, which: int) -> None:
        time, at, then = self.past[which % len(self.past)]
        try:
            found, _ = self.engine.get(DATABASE, NAMES, Consistency(read_time=time))
        except ServiceError as error:
            if error.code != "FAILED_PRECONDITION" or self.clock.now() - at < 3_599:
                raise
            return
        assert {name: plain(d) for name, d in found if d is not None} == then

    @any_open
    @rule(which=st.integers(0, 9), names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=2))
    def read_in(self, which: int, names: list[str]) -> None:
        one = self.chosen(which)
        found, _ = self.engine.get(DATABASE, names, Consistency(one.id))
        one.used = self.clock.now()
        for name, document in found:
            seen = None if document is None else plain(document)
            if one.snapshot is not None:
                assert seen == one.snapshot.get(name)
            else:
                assert seen == self.documents.get(name)
                one.read[name] = seen

    @any_open
    @rule(which=st.integers(0, 9), least=st.integers(0, 3))
    def query_in(self, which: int, least: int) -> None:
        one = self.chosen(which)
        found, _ = self.engine.query(DATABASE, above(least), Consistency(one.id))
        one.used = self.clock.now()
        source = self.documents if one.snapshot is None else one.snapshot
        expected = sorted(
            (fields["n"], name) for name, fields in source.items() if fields.get("n", -1) > least
        )
        assert [document.name for document in found.documents] == [name for _, name in expected]
        if one.snapshot is None:
            one.above.append(least)

    # Transactions

    @rule(read_only=st.sampled_from([False, False, False, True]))
    def begin(self, read_only: bool) -> None:
        id = self.engine.begin(DATABASE, Options(read_only=read_only))
        self.line += 1
        now = self.clock.now()
        one = Open(id, (self.line, self.line), now, now)
        one.snapshot = dict(self.documents) if read_only else None
        self.open.append(one)

    @precondition(lambda machine: machine.aborted)
    @rule(which=st.integers(0, 9))
    def retry(self, which: int) -> None:
        before = self.aborted[which % len(self.aborted)]
        id = self.engine.begin(DATABASE, Options(retried=before.id))
        self.line += 1
        now = self.clock.now()
        self.open.append(Open(id, (before.age[0], self.line), now, now))

    @any_open
    @rule(which=st.integers(0, 9))
    def roll_back(self, which: int) -> None:
        one = self.chosen(which)
        self.engine.rollback(DATABASE, one.id)
        self.close(one)

    @any_open
    @rule(which=st.integers(0, 9), requested=WRITES)
    def commit_in(self, which: int, requested: list[dict[str, Any]]) -> None:
        self.commit(self.chosen(which), requested)

    @rule(requested=WRITES)
    def commit_alone(self, requested: list[dict[str, Any]]) -> None:
        self.commit(None, requested)

    @precondition(lambda machine: machine.ended)
    @rule(which=st.integers(0, 9))
    def use_what_has_ended(self, which: int) -> None:
        id = self.ended[which % len(self.ended)]
        with pytest.raises(ServiceError) as refused:
            self.engine.get(DATABASE, NAMES, Consistency(id))
        gave_way = any(one.id == id for one in self.aborted)
        assert code(refused.value) == ("ABORTED" if gave_way else "INVALID_ARGUMENT")

    @rule(seconds=st.sampled_from([0.001] * 6 + [1, 1, 30, 61, 3_700]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for one in list(self.open):
            if self.clock.now() >= min(one.used + 60, one.began + 270):
                self.close(one)

    def commit(self, one: Open | None, requested: list[dict[str, Any]]) -> None:
        if one is None:
            self.line += 1
        age = (self.line, self.line) if one is None else one.age
        writes = plan_all([self.write(each) for each in requested], DATABASE)
        id = b"" if one is None else one.id
        expected, after = self.outcome(one, age, requested)
        if expected != "OK":
            with pytest.raises(ServiceError) as refused:
                self.engine.commit(DATABASE, writes, id, Impatient())
            assert code(refused.value) == expected
            if one is not None:
                if expected == "ABORTED":
                    self.aborted.append(one)
                self.close(one)
            return
        committed = self.engine.commit(DATABASE, writes, id, Impatient())
        if one is not None:
            if one.snapshot is None:
                assert {name: self.documents.get(name) for name in one.read} == one.read
            self.close(one)
        for other in self.holders(one, requested, after):
            self.aborted.append(other)
            self.close(other)
        for name in self.changed:
            if name in after:
                self.versions[name] = committed.time
            else:
                del self.versions[name]
        self.documents = after

    def outcome(
        self, one: Open | None, age: tuple[int, int], requested: list[dict[str, Any]]
    ) -> tuple[str, dict[str, Fields]]:
        """The code of the answer, and the documents after it; notes which it changes."""
        if one is not None and one.snapshot is not None and requested:
            return "INVALID_ARGUMENT", self.documents
        names = {each["name"] for each in requested}
        if any(
            other.age < age and names & other.read.keys() for other in self.open if other is not one
        ):
            return "ABORTED", self.documents
        after = {name: dict(fields) for name, fields in self.documents.items()}
        self.changed = set()
        for each in requested:
            name, there = each["name"], after.get(each["name"])
            failed = self.failed(each, there)
            if failed is not None:
                return failed, self.documents
            value = {each["field"]: each["value"]}
            match each["kind"]:
                case "set":
                    after[name] = value
                case "merge":
                    after[name] = {**(there or {}), **value}
                case "add":
                    before = (there or {}).get(each["field"], 0)
                    after[name] = {**(there or {}), each["field"]: before + each["value"]}
                case _:
                    after.pop(name, None)
            if after.get(name) != there:
                # Changed to what it was before, it still has a new version.
                self.changed.add(name)
        self.changed = {n for n in self.changed if n in after or n in self.documents}
        if any(other.age < age for other in self.holders(one, requested, after)):
            return "ABORTED", self.documents
        return "OK", after

    def failed(self, each: dict[str, Any], there: Fields | None) -> str | None:
        """The code of a precondition that does not hold."""
        match each["condition"]:
            case "exists" if there is None:
                return "NOT_FOUND"
            case "missing" if there is not None:
                return "ALREADY_EXISTS"
            case "old":
                return "FAILED_PRECONDITION"
            case "now" if there is None or each["name"] in self.changed:
                return "FAILED_PRECONDITION"
        return None

    def holders(
        self, one: Open | None, requested: list[dict[str, Any]], after: dict[str, Fields]
    ) -> list[Open]:
        """The other transactions that have read what these writes touch."""
        names = {each["name"] for each in requested}
        values = [
            fields["n"]
            for name in names
            for fields in (self.documents.get(name), after.get(name))
            if fields is not None and "n" in fields
        ]
        return [
            other
            for other in self.open
            if other is not one
            and (
                names & other.read.keys()
                or any(value > least for least in other.above for value in values)
            )
        ]

    def write(self, each: dict[str, Any]) -> Any:
        name, kind = each["name"], each["kind"]
        if kind == "delete":
            write = Write(delete=name)
        else:
            write = Write(update=Document(name=name))
            value = Value(integer_value=each["value"])
            if kind == "add":
                write.update_mask.CopyFrom(DocumentMask())
                write.update_transforms.add(field_path=each["field"], increment=value)
            else:
                write.update.fields[each["field"]].CopyFrom(value)
            if kind == "merge":
                write.update_mask.field_paths.append(each["field"])
        match each["condition"]:
            case "exists" | "missing":
                write.current_document.exists = each["condition"] == "exists"
            case "now":
                stamp = timestamp(self.versions.get(name, 1))
                write.current_document.update_time.CopyFrom(stamp)
            case "old":
                write.current_document.update_time.CopyFrom(timestamp(2))
        return write

    def chosen(self, which: int) -> Open:
        return self.open[which % len(self.open)]

    def close(self, one: Open) -> None:
        self.open.remove(one)
        self.ended.append(one.id)

    @invariant()
    def the_engine_agrees(self) -> None:
        if not hasattr(self, "engine"):
            return
        report: Any = self.engine.report()
        assert len(report["transactions"]) == len(self.open)
        assert sum(report["databases"].get(DATABASE, {}).values()) == len(self.documents)

    def teardown(self) -> None:
        if not hasattr(self, "engine"):
            return
        found, _ = self.engine.get(DATABASE, NAMES, Consistency())
        for name, document in found:
            if document is not None:
                assert micros(document.update_time) == self.versions[name]
        self.engine.forget("projects/p")
        assert self.memory.used == 0


def code(refusal: BaseException) -> str:
    assert isinstance(refusal, ServiceError)
    return refusal.code


def plain(document: Any) -> Fields:
    return {name: document.fields[name].integer_value for name in document.fields}


def above(least: int) -> Query:
    structured = StructuredQuery()
    structured.from_.add(collection_id="c")
    comparison = structured.where.field_filter
    comparison.field.field_path, comparison.op = "n", 3
    comparison.value.integer_value = least
    return Query(ROOT, structured)


TestMachine = Machine.TestCase
TestMachine.settings = model_settings(examples=100, steps=40)
