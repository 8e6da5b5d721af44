"""What every store promises; inherited by one test class per store, which supplies the fixture.

Each test works in a partition of its own, so that a store may be shared by all of them.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

import pytest

from contract.store_model import run_model
from crosswind.errors import Conflict, InvalidRequest, Throttled, TooLarge
from crosswind.ports import (
    ABSENT,
    MAX_CHANGES,
    MAX_ITEM_BYTES,
    MAX_WRITE_BYTES,
    Change,
    Check,
    Delete,
    Item,
    Put,
    Store,
)

P = ParamSpec("P")
T = TypeVar("T")

PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
FORBIDDEN = "/\\#?%"
ALLOWED = "".join(character for character in PRINTABLE if character not in FORBIDDEN)

BAD_NAMES = {
    "empty": "",
    "too long": "k" * 257,
    **{f"holds {character}": f"a{character}b" for character in FORBIDDEN},
    "holds a line feed": "a\n",
    "holds a NUL": "a\0b",
    "holds DEL": "a\x7f",
    "is not ASCII": "höhe",
}
bad_names = pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES.keys())


def patiently(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call again while the store is throttled, as the engine does."""
    for _ in range(200):
        try:
            return call(*args, **kwargs)
        except Throttled:
            time.sleep(random.uniform(0, 0.02))
    return call(*args, **kwargs)


def put(store: Store, partition: str, key: str, value: bytes = b"v", token: str = "t") -> str:
    """Put what is absent; returns its version."""
    return store.write(partition, [Put(key, value)], token)[key]


def held(store: Store, partition: str) -> dict[str, bytes]:
    """All values of a small partition, by key."""
    return {item.key: item.value for item in store.scan(partition)}


class StoreContract:
    """Specification of `crosswind.ports.Store`."""

    examples = 40
    """Random walks of the model test; a slow store may take fewer."""

    racers = 4
    """Threads that race each other."""

    rounds = 50
    """What each of them does in a race; a slow store may take fewer."""

    @pytest.fixture
    def store(self) -> Any:
        """The store under test: a `Store`, or a generator of one where it has to be closed."""
        raise NotImplementedError("each store under test overrides this fixture")

    @pytest.fixture
    def peer(self, store: Store) -> Any:
        """Another client of the same state, where there can be one; a `Store` or a generator."""
        return store

    @pytest.fixture
    def partition(self) -> str:
        return f"test:{uuid4().hex}"

    # Reading

    def test_an_item_is_read_as_it_was_put(self, store: Store, partition: str) -> None:
        versions = store.write(partition, [Put("run:1", b'{"turn":0}')], "token-1")

        assert store.read(partition, "run:1") == Item(
            "run:1", b'{"turn":0}', versions["run:1"], "token-1"
        )

    def test_what_was_never_put_is_absent(self, store: Store, partition: str) -> None:
        assert store.read(partition, "nothing") is None

    @pytest.mark.parametrize("value", [b"", bytes(range(256)), b"\0" * 1000, b"\xff\xfe"])
    def test_a_value_comes_back_byte_for_byte(
        self, store: Store, partition: str, value: bytes
    ) -> None:
        put(store, partition, "key", value)

        item = store.read(partition, "key")

        assert item is not None
        assert item.value == value
        assert store.scan(partition) == [item]

    def test_partitions_do_not_see_each_other(self, store: Store, partition: str) -> None:
        put(store, partition, "key", b"here")
        put(store, f"{partition}:other", "key", b"there")

        assert held(store, partition) == {"key": b"here"}
        assert held(store, f"{partition}:other") == {"key": b"there"}

    def test_another_client_reads_at_once_what_was_written(
        self, store: Store, peer: Store, partition: str
    ) -> None:
        version = put(store, partition, "key", b"old")
        assert peer.read(partition, "key") == store.read(partition, "key")

        peer.write(partition, [Put("key", b"new", version)], "t")
        assert held(store, partition) == {"key": b"new"}

    # Demands

    def test_what_exists_is_not_put_as_absent(self, store: Store, partition: str) -> None:
        put(store, partition, "key", b"first")
        there = store.read(partition, "key")

        with pytest.raises(Conflict) as conflict:
            put(store, partition, "key", b"second")

        assert conflict.value.found == {"key": there}
        assert store.read(partition, "key") == there

    def test_a_put_replaces_the_version_it_demands(self, store: Store, partition: str) -> None:
        first = put(store, partition, "key", b"first", "t1")

        second = store.write(partition, [Put("key", b"second", first)], "t2")["key"]

        assert store.read(partition, "key") == Item("key", b"second", second, "t2")

    def test_a_put_over_an_outdated_version_changes_nothing(
        self, store: Store, partition: str
    ) -> None:
        first = put(store, partition, "key", b"first")
        store.write(partition, [Put("key", b"second", first)], "t")
        there = store.read(partition, "key")

        with pytest.raises(Conflict) as conflict:
            store.write(partition, [Put("key", b"late", first)], "t")

        assert conflict.value.found == {"key": there}
        assert store.read(partition, "key") == there

    def test_a_put_over_what_is_gone_finds_nothing(self, store: Store, partition: str) -> None:
        version = put(store, partition, "key")
        store.write(partition, [Delete("key", version), Put("other", b"")], "t")

        with pytest.raises(Conflict) as conflict:
            store.write(partition, [Put("key", b"late", version)], "t")

        assert conflict.value.found == {"key": None}
        assert store.read(partition, "key") is None

    def test_a_delete_removes_the_version_it_demands(self, store: Store, partition: str) -> None:
        version = put(store, partition, "key")

        versions = store.write(partition, [Delete("key", version), Put("other", b"o")], "t")

        assert set(versions) == {"other"}
        assert held(store, partition) == {"other": b"o"}

    def test_a_delete_of_an_outdated_version_changes_nothing(
        self, store: Store, partition: str
    ) -> None:
        first = put(store, partition, "key", b"first")
        store.write(partition, [Put("key", b"second", first)], "t")
        there = store.read(partition, "key")

        with pytest.raises(Conflict) as conflict:
            store.write(partition, [Delete("key", first), Put("other", b"")], "t")

        assert conflict.value.found == {"key": there}
        assert held(store, partition) == {"key": b"second"}

    def test_a_check_demands_a_version_and_leaves_it(self, store: Store, partition: str) -> None:
        put(store, partition, "head", b"open")
        head = store.read(partition, "head")
        assert head is not None

        versions = store.write(partition, [Check("head", head.version), Put("run", b"r")], "t")

        assert set(versions) == {"run"}
        assert store.read(partition, "head") == head

    def test_a_check_of_an_outdated_version_lets_nothing_through(
        self, store: Store, partition: str
    ) -> None:
        open_ = put(store, partition, "head", b"open")
        store.write(partition, [Put("head", b"closed", open_)], "t")
        closed = store.read(partition, "head")

        with pytest.raises(Conflict) as conflict:
            store.write(partition, [Check("head", open_), Put("run", b"r")], "t")

        assert conflict.value.found == {"head": closed}
        assert held(store, partition) == {"head": b"closed"}

    def test_a_check_of_absence_holds_while_there_is_nothing(
        self, store: Store, partition: str
    ) -> None:
        store.write(partition, [Check("freeze"), Put("run:1", b"")], "t")
        put(store, partition, "freeze", b"frozen")
        freeze = store.read(partition, "freeze")

        with pytest.raises(Conflict) as conflict:
            store.write(partition, [Check("freeze"), Put("run:2", b"")], "t")

        assert conflict.value.found == {"freeze": freeze}
        assert set(held(store, partition)) == {"freeze", "run:1"}

    # Atomicity

    @pytest.mark.parametrize("failing", range(4))
    def test_where_one_demand_fails_nothing_is_changed(
        self, store: Store, partition: str, failing: int
    ) -> None:
        versions = store.write(partition, [Put(key, b"old") for key in "abc"], "t")
        before = store.scan(partition)
        changes: list[Change] = [
            Put("a", b"new", versions["a"]),
            Delete("b", versions["b"]),
            Check("c", versions["c"]),
            Put("d", b"new"),
        ]
        changes[failing] = changes[failing]._replace(expect="a version that never was")

        with pytest.raises(Conflict) as conflict:
            store.write(partition, changes, "t")

        assert set(conflict.value.found) == {"abcd"[failing]}
        assert store.scan(partition) == before

    def test_a_conflict_says_what_stands_there_for_every_failed_demand_and_no_other(
        self, store: Store, partition: str
    ) -> None:
        versions = store.write(partition, [Put("put", b"1"), Put("kept", b"2")], "t")
        there = store.read(partition, "put")

        with pytest.raises(Conflict) as conflict:
            store.write(
                partition,
                [
                    Put("new", b""),
                    Put("put", b"", ABSENT),
                    Check("kept", versions["kept"]),
                    Delete("deleted", "gone"),
                    Check("checked", "gone"),
                ],
                "t",
            )

        assert conflict.value.found == {"put": there, "deleted": None, "checked": None}

    def test_a_write_of_as_many_changes_as_are_allowed_is_whole(
        self, store: Store, partition: str
    ) -> None:
        changes = [Put(f"key:{n:02}", b"%d" % n) for n in range(MAX_CHANGES)]

        versions = store.write(partition, changes, "t")

        assert set(versions) == {change.key for change in changes}
        assert len(store.scan(partition)) == MAX_CHANGES

    # Versions

    def test_every_put_makes_a_new_version_also_of_the_same_value(
        self, store: Store, partition: str
    ) -> None:
        seen = [put(store, partition, "key", b"same", "same")]
        for _ in range(5):
            seen += store.write(partition, [Put("key", b"same", seen[-1])], "same").values()

        assert len(set(seen)) == len(seen)
        assert ABSENT not in seen

    def test_a_version_never_recurs_after_deletion(self, store: Store, partition: str) -> None:
        seen: list[str] = []
        for n in range(5):
            seen.append(put(store, partition, "key", b"same", "same"))
            store.write(partition, [Delete("key", seen[-1]), Put(f"o{n}", b"")], "same")

        assert len(set(seen)) == len(seen)

    def test_who_saw_an_item_before_it_was_made_anew_cannot_change_it(
        self, store: Store, partition: str
    ) -> None:
        before = put(store, partition, "key", b"same", "same")
        store.write(partition, [Delete("key", before), Put("other", b"")], "same")
        put(store, partition, "key", b"same", "same")

        for change in (Put("key", b"late", before), Delete("key", before), Check("key", before)):
            with pytest.raises(Conflict):
                store.write(partition, [change, Put("more", b"")], "t")

    # Tokens: telling "that was mine" from "that was another's"

    def test_a_write_repeated_after_a_lost_answer_knows_its_own(
        self, store: Store, partition: str
    ) -> None:
        put(store, partition, "key", b"mine", "my token")

        with pytest.raises(Conflict) as conflict:
            put(store, partition, "key", b"mine", "my token")

        assert conflict.value.written_by("my token")

    def test_a_write_that_lost_a_race_knows_another_s(self, store: Store, partition: str) -> None:
        put(store, partition, "key", b"theirs", "their token")

        with pytest.raises(Conflict) as conflict:
            put(store, partition, "key", b"mine", "my token")

        assert not conflict.value.written_by("my token")
        assert conflict.value.written_by("their token")

    def test_a_repeated_write_of_several_items_knows_its_own(
        self, store: Store, partition: str
    ) -> None:
        version = put(store, partition, "old")
        changes: list[Change] = [Put("new", b"mine"), Delete("old", version), Check("other")]
        store.write(partition, changes, "my token")

        with pytest.raises(Conflict) as conflict:
            store.write(partition, changes, "my token")

        assert conflict.value.written_by("my token")
        assert set(conflict.value.found) == {"new", "old"}

    def test_an_item_bears_the_token_of_the_write_that_put_it_last(
        self, store: Store, partition: str
    ) -> None:
        version = put(store, partition, "key", token="mine")
        store.write(partition, [Put("key", b"theirs", version)], "theirs")

        with pytest.raises(Conflict) as conflict:
            put(store, partition, "key", token="mine")

        assert not conflict.value.written_by("mine")

    # Scanning

    def test_a_scan_is_in_the_byte_order_of_keys(self, store: Store, partition: str) -> None:
        keys = ["b", "a", "B", "aa", "a ", "a:1", "a:10", "a:2", "~", "!", "_", "0", "Z", "a~"]
        store.write(partition, [Put(key, key.encode()) for key in keys], "t")

        found = [item.key for item in store.scan(partition)]

        assert found == sorted(keys, key=str.encode)

    def test_a_scan_gives_whole_items(self, store: Store, partition: str) -> None:
        put(store, partition, "a", b"1", "t1")
        put(store, partition, "b", b"2", "t2")

        assert store.scan(partition) == [store.read(partition, "a"), store.read(partition, "b")]

    def test_a_scan_keeps_to_its_prefix(self, store: Store, partition: str) -> None:
        keys = ["member", "member:", "member:a", "member:~", "member;", "memb", "outcome"]
        store.write(partition, [Put(key, b"") for key in keys], "t")

        found = [item.key for item in store.scan(partition, "member:")]

        assert found == ["member:", "member:a", "member:~"]

    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            ("", ["p:a", "p:b", "p:c"]),
            ("a", ["p:a", "p:b", "p:c"]),
            ("p:", ["p:a", "p:b", "p:c"]),
            ("p:a", ["p:b", "p:c"]),
            ("p:a!", ["p:b", "p:c"]),
            ("p:c", []),
            ("z", []),
        ],
    )
    def test_a_scan_goes_on_after_a_key(
        self, store: Store, partition: str, after: str, expected: list[str]
    ) -> None:
        keys = ["o", "p", "p:a", "p:b", "p:c", "q"]
        store.write(partition, [Put(key, b"") for key in keys], "t")

        assert [item.key for item in store.scan(partition, "p:", after)] == expected

    @pytest.mark.parametrize("limit", [1, 3, 7, 8])
    def test_pages_of_a_scan_miss_nothing_and_repeat_nothing(
        self, store: Store, partition: str, limit: int
    ) -> None:
        keys = [f"k:{n}" for n in range(7)]
        store.write(partition, [Put(key, b"") for key in [*keys, "z"]], "t")

        found: list[str] = []
        while len(page := store.scan(partition, "k:", found[-1] if found else "", limit)) == limit:
            found += [item.key for item in page]

        assert found + [item.key for item in page] == keys

    def test_a_scan_of_an_empty_partition_finds_nothing(self, store: Store, partition: str) -> None:
        assert list(store.scan(partition)) == []

    def test_a_deleted_item_is_not_scanned(self, store: Store, partition: str) -> None:
        versions = store.write(partition, [Put(key, b"") for key in "abc"], "t")
        store.write(partition, [Delete("b", versions["b"]), Put("d", b"")], "t")

        assert [item.key for item in store.scan(partition)] == ["a", "c", "d"]

    # Limits

    def test_an_item_of_the_neutral_limit_fits(self, store: Store, partition: str) -> None:
        value = random.Random(1).randbytes(MAX_ITEM_BYTES)
        put(store, partition, "k" * 256, value, "t" * 256)

        item = store.read(partition, "k" * 256)

        assert item is not None
        assert item.value == value

    def test_a_larger_item_is_refused_before_anything_is_written(
        self, store: Store, partition: str
    ) -> None:
        with pytest.raises(TooLarge, match=r"'b' has 350001 bytes.*350000"):
            store.write(partition, [Put("a", b""), Put("b", bytes(MAX_ITEM_BYTES + 1))], "t")

        assert held(store, partition) == {}

    def test_a_write_of_the_neutral_limit_fits(self, store: Store, partition: str) -> None:
        share = MAX_WRITE_BYTES // 10
        store.write(partition, [Put(f"{n}", bytes(share)) for n in range(10)], "t")

        assert {len(value) for value in held(store, partition).values()} == {share}

    def test_a_larger_write_is_refused_before_anything_is_written(
        self, store: Store, partition: str
    ) -> None:
        share = MAX_WRITE_BYTES // 10
        changes = [Put(f"{n}", bytes(share)) for n in range(10)]

        with pytest.raises(TooLarge, match="the write has 3000001 bytes"):
            store.write(partition, [*changes, Put("more", b"1")], "t")

        assert held(store, partition) == {}

    def test_more_changes_than_allowed_are_refused_before_anything_is_written(
        self, store: Store, partition: str
    ) -> None:
        with pytest.raises(TooLarge, match="91 changes"):
            store.write(partition, [Put(f"{n}", b"") for n in range(MAX_CHANGES + 1)], "t")

        assert held(store, partition) == {}

    def test_every_allowed_character_may_stand_in_a_name(
        self, store: Store, partition: str
    ) -> None:
        partition = f"{partition}:{ALLOWED}"
        put(store, partition, ALLOWED, b"v", PRINTABLE)

        item = store.read(partition, ALLOWED)

        assert item is not None
        assert (item.key, item.token) == (ALLOWED, PRINTABLE)
        assert store.scan(partition, ALLOWED) == [item]

    @bad_names
    def test_a_bad_partition_is_refused(self, store: Store, name: str) -> None:
        with pytest.raises(InvalidRequest, match="partition"):
            store.read(name, "key")
        with pytest.raises(InvalidRequest, match="partition"):
            store.scan(name)
        with pytest.raises(InvalidRequest, match="partition"):
            put(store, name, "key")

    @bad_names
    def test_a_bad_key_is_refused(self, store: Store, partition: str, name: str) -> None:
        with pytest.raises(InvalidRequest, match="key"):
            store.read(partition, name)
        for change in (Put(name, b""), Delete(name, "v"), Check(name)):
            with pytest.raises(InvalidRequest, match="key"):
                store.write(partition, [Put("good", b""), change], "t")

        assert held(store, partition) == {}

    def test_a_write_puts_at_least_one_item(self, store: Store, partition: str) -> None:
        version = put(store, partition, "key")

        for changes in ([], [Check("key", version)], [Delete("key", version)]):
            with pytest.raises(InvalidRequest, match="nothing is put"):
                store.write(partition, changes, "t")

        assert set(held(store, partition)) == {"key"}

    def test_a_write_names_a_key_once(self, store: Store, partition: str) -> None:
        version = put(store, partition, "key", b"old")

        with pytest.raises(InvalidRequest, match="'key' occurs twice"):
            store.write(partition, [Put("key", b"new", version), Check("key", version)], "t")

        assert held(store, partition) == {"key": b"old"}

    def test_nothing_is_deleted_unseen(self, store: Store, partition: str) -> None:
        with pytest.raises(InvalidRequest, match="demand the version that was read"):
            store.write(partition, [Delete("key", ABSENT), Put("other", b"")], "t")

        assert held(store, partition) == {}

    # Expiry

    def test_an_item_that_expires_later_is_there_until_then(
        self, store: Store, partition: str
    ) -> None:
        later = time.time() + 86_400
        version = store.write(partition, [Put("key", b"1", expires=later)], "t")["key"]
        store.write(partition, [Put("key", b"2", version, expires=later + 0.5)], "t")

        assert held(store, partition) == {"key": b"2"}

    # Races

    def test_of_those_who_race_to_put_one_item_exactly_one_wins(
        self, store: Store, peer: Store, partition: str
    ) -> None:
        def race(racer: int) -> list[str]:
            mine = peer if racer % 2 else store
            token = f"racer {racer}"
            won: list[str] = []
            for n in range(self.rounds):
                try:
                    patiently(put, mine, partition, f"{n:02}", b"", token)
                    won.append(f"{n:02}")
                except Conflict as conflict:
                    if conflict.written_by(token):
                        raise
            return won

        won = [key for keys in self._race(race) for key in keys]

        assert sorted(won) == [f"{n:02}" for n in range(self.rounds)]
        assert sorted(won) == [item.key for item in store.scan(partition)]

    def test_no_update_is_lost_in_a_race(self, store: Store, peer: Store, partition: str) -> None:
        put(store, partition, "counter", b"0")

        def race(racer: int) -> int:
            mine = peer if racer % 2 else store
            counted = 0
            while counted < self.rounds:
                item = patiently(mine.read, partition, "counter")
                assert item is not None
                count = Put("counter", b"%d" % (int(item.value) + 1), item.version)
                try:
                    patiently(mine.write, partition, [count], "t")
                    counted += 1
                except Conflict:
                    continue
            return counted

        assert sum(self._race(race)) == self.rounds * self.racers
        assert held(store, partition) == {"counter": b"%d" % (self.rounds * self.racers)}

    def test_what_one_write_changes_together_stays_together_in_a_race(
        self, store: Store, peer: Store, partition: str
    ) -> None:
        store.write(partition, [Put(key, b"100") for key in "ab"], "t")

        def race(racer: int) -> int:
            mine = peer if racer % 2 else store
            source, target = "ab" if racer % 2 else "ba"
            moved = 0
            for _ in range(self.rounds):
                items = [patiently(mine.read, partition, key) for key in (source, target)]
                given, taken = (item for item in items if item is not None)
                changes = [
                    Put(source, b"%d" % (int(given.value) - 1), given.version),
                    Put(target, b"%d" % (int(taken.value) + 1), taken.version),
                ]
                try:
                    patiently(mine.write, partition, changes, "t")
                    moved += 1
                except Conflict:
                    continue
            return moved

        moved = self._race(race)

        assert sum(moved) > 0
        there = {key: int(value) for key, value in held(store, partition).items()}
        assert sum(there.values()) == 200
        assert there["a"] == 100 + sum(moved[0::2]) - sum(moved[1::2])

    def _race(self, race: Callable[[int], T]) -> list[T]:
        unhurried = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)  # so that threads cut into each other, also in a fast store
        together = threading.Barrier(self.racers)

        def start(racer: int) -> T:
            together.wait(60)
            return race(racer)

        try:
            with ThreadPoolExecutor(self.racers) as pool:
                return list(pool.map(start, range(self.racers), timeout=60))
        finally:
            sys.setswitchinterval(unhurried)

    # The whole of it

    def test_whatever_is_asked_it_behaves_like_a_dictionary_with_demands(
        self, store: Store
    ) -> None:
        run_model(store, self.examples)
