"""What reading the same file costs without validating it: PyYAML's C loader, or `json.load`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from bench.fleets import WORKLOADS, fleet_yaml
from bench.serve import Prepare, Run
from crosswind.fleet.load import parse_fleet


@contextmanager
def make(as_json: bool = False) -> Iterator[Prepare]:
    """The same fleet in a file.

    Args:
        as_json: whether it is written as JSON rather than YAML.
    """
    text = fleet_yaml()
    with tempfile.TemporaryDirectory(prefix="crosswind-bench-") as folder:
        path = Path(folder) / "fleet"
        declared = parse_fleet(text).model_dump(mode="json", exclude_unset=True)
        path.write_text(json.dumps(declared, indent=2) if as_json else text)

        def prepare(count: int) -> Run:
            def run() -> None:
                for _ in range(count):
                    with path.open("rb") as file:
                        read = (
                            json.load(file) if as_json else yaml.load(file, Loader=yaml.CSafeLoader)
                        )
                    if len(read["workloads"]) != WORKLOADS:
                        raise RuntimeError("not all workloads were read")

            return run

        yield prepare
