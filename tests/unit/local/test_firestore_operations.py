"""Every operation that the official SDK knows is answered, and told of in the documentation."""

import json
import re
from importlib.resources import files
from pathlib import Path

from crosswind_local.calls import CallRecord
from crosswind_local.clock import ManualClock
from crosswind_local.firestore.engine import Engine
from crosswind_local.firestore.memory import DocumentMemory
from crosswind_local.firestore.service import Service
from crosswind_local.firestore.wire import PACKAGE, REFUSED, Wire

PAGE = Path(__file__).parents[3] / "docs" / "local-firestore.md"


def operations() -> set[str]:
    """The path of every method, as the SDK's own metadata lists them."""
    metadata = json.loads((files("google.cloud.firestore_v1") / "gapic_metadata.json").read_text())
    return {
        f"/{PACKAGE}.{service}/{method}"
        for service, clients in metadata["services"].items()
        for method in clients["clients"]["grpc"]["rpcs"]
    }


def test_every_operation_is_answered_be_it_with_a_refusal() -> None:
    clock = ManualClock()
    wire = Wire(Service(Engine(clock, DocumentMemory())), CallRecord(), clock)
    assert operations() == wire.paths()


def test_every_operation_is_in_the_table() -> None:
    table = PAGE.read_text()
    for path in operations():
        method = path.rsplit("/", 1)[-1]
        rows = re.findall(rf"^\|[^|]*\b{method}\b[^|]*\| (\w+) \|", table, re.MULTILINE)
        assert rows, method
        assert (rows == ["refused"]) is (path in REFUSED), method
