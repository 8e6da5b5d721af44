"""A store as a dictionary whose every change makes a demand, to be compared with a real one."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from crosswind.errors import Conflict
from crosswind.ports import ABSENT, Change, Check, Delete, Item, Put, Store

KEYS = ("a", "a:1", "a:2", "a:~", "b", "B", "~")


class _Demand:
    """What a change demands, relative to what the model holds."""

    current, outdated, absent = "current", "outdated", "absent"


demands = st.sampled_from([_Demand.current] * 4 + [_Demand.outdated, _Demand.absent])
wishes = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from([Put, Delete, Check]), demands),
    min_size=1,
    max_size=5,
    unique_by=lambda wish: wish[0],
)


class StoreMachine(RuleBasedStateMachine):
    """Walks a store and a dictionary side by side."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.partition = f"model:{uuid4().hex}"
        self.items: dict[str, Item] = {}
        self.past: dict[str, list[str]] = {key: [] for key in KEYS}

    @rule(wishes=wishes, value=st.binary(max_size=8), token=st.sampled_from(["t1", "t2"]))
    def write(self, wishes: list[tuple[str, Any, str]], value: bytes, token: str) -> None:
        changes = [self._change(*wish, value) for wish in wishes]
        if not any(isinstance(change, Put) for change in changes):
            changes.append(Put("put", value, self._version("put")))
        failed = {
            change.key: self.items.get(change.key)
            for change in changes
            if change.expect != self._version(change.key)
        }
        if failed:
            with pytest.raises(Conflict) as conflict:
                self.store.write(self.partition, changes, token)
            assert conflict.value.found == failed
            return
        versions = self.store.write(self.partition, changes, token)
        assert set(versions) == {change.key for change in changes if isinstance(change, Put)}
        for change in changes:
            if isinstance(change, Put):
                version = versions[change.key]
                assert version not in self.past.setdefault(change.key, [])
                self.past[change.key].append(version)
                self.items[change.key] = Item(change.key, change.value, version, token)
            elif isinstance(change, Delete):
                del self.items[change.key]

    @rule(key=st.sampled_from(KEYS))
    def read(self, key: str) -> None:
        assert self.store.read(self.partition, key) == self.items.get(key)

    @rule(
        prefix=st.sampled_from(["", "a", "a:", "a:~", "b", "c"]),
        after=st.sampled_from(["", "a", "a:0", "a:1", "a:~", "b", "~"]),
        limit=st.integers(1, 4),
    )
    def scan(self, prefix: str, after: str, limit: int) -> None:
        expected = [
            item
            for key, item in sorted(self.items.items())
            if key.startswith(prefix) and key > after
        ]
        assert list(self.store.scan(self.partition, prefix, after, limit)) == expected[:limit]

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        expected = [item for _, item in sorted(self.items.items())]
        assert list(self.store.scan(self.partition)) == expected

    def _version(self, key: str) -> str:
        item = self.items.get(key)
        return item.version if item else ABSENT

    def _change(self, key: str, kind: Any, demand: str, value: bytes) -> Change:
        expect = self._version(key)
        if demand == _Demand.outdated:
            expect = self.past[key][0] if self.past[key] else "never"
        elif demand == _Demand.absent:
            expect = ABSENT
        if kind is Put:
            return Put(key, value, expect)
        if kind is Delete and expect != ABSENT:
            return Delete(key, expect)
        return Check(key, expect)


def run_model(store: Store, examples: int) -> None:
    """Walk at random, each time in a partition of its own."""

    class Walk(StoreMachine):
        def __init__(self) -> None:
            super().__init__(store)

    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
