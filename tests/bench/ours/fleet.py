"""Loads a large fleet from its file, and validates it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.fleets import WORKLOADS, fleet_yaml
from bench.serve import Prepare, Run
from crosswind.fleet.load import load_fleet, parse_fleet


@contextmanager
def make(as_json: bool = False) -> Iterator[Prepare]:
    """A fleet of 60 regions and 1,000 workloads in a file.

    Args:
        as_json: whether it is written as JSON rather than YAML.
    """
    text = fleet_yaml()
    with tempfile.TemporaryDirectory(prefix="crosswind-bench-") as folder:
        path = Path(folder) / ("fleet.json" if as_json else "fleet.yaml")
        declared = parse_fleet(text).model_dump(mode="json", exclude_unset=True)
        path.write_text(json.dumps(declared, indent=2) if as_json else text)

        def prepare(count: int) -> Run:
            def run() -> None:
                for _ in range(count):
                    if len(load_fleet(path).workloads) != WORKLOADS:
                        raise RuntimeError("not all workloads were loaded")

            return run

        yield prepare
