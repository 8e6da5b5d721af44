"""Where the register keeps what."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crosswind.fleet import keys
from crosswind.limits import check_read


def test_keys_are_readable() -> None:
    assert keys.partition("main") == "fleet:main"
    assert keys.workload("chat") == "workload:chat"
    assert keys.region("aws/us-east-1") == "region:aws:us-east-1"
    assert keys.target("region", "aws/us-east-1") == "target:region:aws:us-east-1"
    assert keys.receipt("run-1.2") == "receipt:run-1.2"


TEXTS = st.text(max_size=300)


@settings(deadline=None)
@given(TEXTS, TEXTS)
@example("a", "b" * 400)
@example("é" * 300, "%/\\#?")
def test_free_text_makes_a_key_that_every_store_takes(flight: str, target: str) -> None:
    check_read(keys.partition("main"), keys.target(flight, target))
    check_read(keys.partition("main"), keys.receipt(target))


@settings(deadline=None)
@given(st.tuples(TEXTS, TEXTS), st.tuples(TEXTS, TEXTS))
@example(("region", "a/b"), ("region", "a:b"))
@example(("a/b", "c"), ("a", "b/c"))
@example(("x", "y" * 300), ("x", "y" * 301))
@example(("a", "~3a"), ("a", ":"))
def test_two_targets_never_share_a_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (keys.target(*one) == keys.target(*other)) == (one == other)
