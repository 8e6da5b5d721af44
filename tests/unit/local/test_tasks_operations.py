"""Every operation that the official SDK knows is answered, and told of in the documentation."""

import json
import re
from importlib.resources import files
from pathlib import Path

from crosswind_local.calls import CallRecord
from crosswind_local.clock import ManualClock
from crosswind_local.identities import Identities
from crosswind_local.memory import Memory
from crosswind_local.tasks.carrier import Carrier
from crosswind_local.tasks.depot import Depot
from crosswind_local.tasks.wire import REFUSED, SERVICE, Wire

PAGE = Path(__file__).parents[3] / "docs" / "local-tasks.md"


def operations() -> set[str]:
    """The path of every method, as the SDK's own metadata lists them."""
    metadata = json.loads((files("google.cloud.tasks_v2") / "gapic_metadata.json").read_text())
    clients = metadata["services"]["CloudTasks"]["clients"]
    return {f"/{SERVICE}/{method}" for method in clients["grpc"]["rpcs"]}


def test_every_operation_is_answered_be_it_with_a_refusal() -> None:
    clock = ManualClock()
    depot = Depot(clock, Memory(), Carrier(clock), Identities(clock))
    paths = Wire(depot, CallRecord()).paths()
    assert operations() <= paths
    assert paths - operations() <= REFUSED.keys()


def test_every_operation_is_in_the_table() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    for path in operations() | REFUSED.keys():
        method = path.rsplit("/", 1)[-1]
        (row,) = [row for row in rows if re.search(rf"\b{method}\b", row.split("|")[1])]
        assert ("| refused |" in row) is (path in REFUSED), method
