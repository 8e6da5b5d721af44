"""What is observed is written once, and read back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import to_json

from crosswind.engine.log import Log
from crosswind.errors import BoundExceeded
from crosswind.records.record import Entry, Record


def record() -> Record:
    return Record("claimed", "m:f", "g", "c", "chain", "run", b'{"id":"1"}', 1.5)


@pytest.mark.parametrize(
    "result", [None, 0.1, "é\n", [1, 2.5, {"a": None}], {"deep": [{"x": ["y"]}]}], ids=repr
)
def test_an_observation_is_written_as_an_entry_that_was_read_back(result: Any) -> None:
    seen = record()
    log = Log(seen, 1_000)
    log.note("query:q", {"region": "aws/us-east-1"}, result, 3.25)
    log.append(Entry("act:a", {"n": 1}, at=4.0, mode="act", asked=1))
    written = seen.encode()

    again = Record.decode(written)

    assert again.log == seen.log
    assert again.encode() == written
    assert seen.log[0].encode() == to_json(seen.log[0].as_json())


def test_only_the_result_counts_for_the_size_of_an_observation() -> None:
    log = Log(record(), 12)
    log.note("query:with-a-long-name", {"and": "long arguments"}, "x" * 10, 1.0)
    with pytest.raises(BoundExceeded, match="gave 13 bytes; at most 12"):
        log.note("query:q", None, "x" * 11, 1.0)
