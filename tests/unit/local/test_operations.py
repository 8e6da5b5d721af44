"""Every operation that the official SDK knows is answered, and told of in the documentation."""

import json
import re
from importlib.resources import files
from pathlib import Path

from crosswind_local.calls import CallRecord
from crosswind_local.clock import ManualClock
from crosswind_local.memory import Memory
from crosswind_local.pubsub.broker import Broker
from crosswind_local.pubsub.wire import PACKAGE, REFUSED, Wire

PAGE = Path(__file__).parents[3] / "docs" / "local-cloud.md"


def operations() -> set[str]:
    """The path of every method, as the SDK's own metadata lists them."""
    metadata = json.loads((files("google.pubsub_v1") / "gapic_metadata.json").read_text())
    return {
        f"/{PACKAGE}.{service}/{method}"
        for service, clients in metadata["services"].items()
        for method in clients["clients"]["grpc"]["rpcs"]
    }


def test_every_operation_is_answered_be_it_with_a_refusal() -> None:
    wire = Wire(Broker(ManualClock(), Memory()), CallRecord())
    assert operations() <= wire.paths()
    assert wire.paths() - operations() == {path for path in REFUSED if "/google.iam" in path}


def test_every_operation_that_works_is_in_the_table() -> None:
    table = PAGE.read_text()
    for path in operations() - REFUSED.keys():
        method = path.rsplit("/", 1)[-1]
        assert re.search(rf"\b{method}\b", table), method
    for subject in ("snapshots", "SchemaService", "SetIamPolicy"):
        assert re.search(rf"\| {subject}.*\| refused \|", table), subject
