"""Reads a declaration of resources from a file, and holds it against the fleet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from crosswind_aws.performers.resources import (
    InvalidResources,
    Resources,
    Route53Records,
    RoutingControls,
)

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet

_KEY = "[key]"


def load_resources(path: str | os.PathLike[str]) -> Resources:
    """Read what stands for a fleet from a file.

    Args:
        path: `*.yaml` or `*.yml`, which needs PyYAML (`crosswind[cli]`), or `*.json`.

    Raises:
        InvalidResources: lists every fault with its line.
        ImportError: the file is YAML and PyYAML is not installed.
    """
    from crosswind.fleet.documents import MAX_BYTES, DocumentError
    from crosswind.fleet.formats import read_json, read_yaml

    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InvalidResources(f"{name} is larger than {MAX_BYTES // 1000} kB; split it")
        text = content.decode("utf-8-sig")
        document = read_json(text) if name.lower().endswith(".json") else read_yaml(text)
    except OSError as error:
        raise InvalidResources(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidResources(f"{name} is not UTF-8; save it in that encoding") from error
    except DocumentError as error:
        raise InvalidResources(f"{name}:{error.line}: {error.problem}") from error
    found = [(fault.line, fault.problem) for fault in document.faults]
    try:
        resources = Resources.model_validate({} if document.value is None else document.value)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            where = _place(document.value, detail["loc"])
            said = detail["msg"].removeprefix("Value error, ")
            said = f"{'.'.join(map(str, where))}: {said}" if where else said
            found.append((document.line(where), said))
    if found:
        count = f"{len(found)} faults" if len(found) > 1 else "one fault"
        listed = [f"  {name}:{line}: {problem}" for line, problem in sorted(found)]
        raise InvalidResources(
            "\n".join([f"{name} does not declare resources; it has {count}:", *listed])
        )
    return resources


def faults(resources: Resources, fleet: Fleet) -> Iterator[str]:
    """Where the resources do not fit the fleet, each with what to do.

    What is missing may be wanted: a workload without a resource is only not steered here.
    """
    for name, declared in resources.workloads.items():
        spec = fleet.workloads.get(name)
        if spec is None:
            yield f"workloads.{name}: the fleet has no such workload; remove it here"
            continue
        if spec.tier == "critical" and isinstance(declared.traffic, Route53Records):
            yield (
                f"workloads.{name}.traffic: {name} is critical, and its records are never edited; "
                "declare routing controls (service: arc)"
            )
        steered = _steered(declared.traffic)
        if steered is not None:
            for region in sorted(spec.regions.keys() - steered):
                yield f"workloads.{name}.traffic: nothing steers traffic to {region}; declare it"
        for region in spec.regions:
            has = declared.regions.get(region)
            if region.startswith("aws/") and (has is None or has.endpoint is None):
                yield f"workloads.{name}.regions: nothing is declared that serves in {region}"
        for region in sorted(declared.regions.keys() - spec.regions.keys()):
            yield f"workloads.{name}.regions.{region}: the fleet does not have {name} there"


def _place(value: Any, location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Where a fault stands in a document: its location without what only pydantic knows."""
    place: list[str | int] = []
    for number, part in enumerate(location):
        if isinstance(part, int) or (isinstance(value, dict) and part in value):
            value = value[part]
        elif number + 1 < len(location) or part == _KEY:
            continue  # which of several models was tried, or that it is the key that is at fault
        place.append(part)
    return tuple(place)


def _steered(traffic: Route53Records | RoutingControls | None) -> set[str] | None:
    match traffic:
        case Route53Records():
            return set(traffic.identifiers)
        case RoutingControls():
            return set(traffic.controls)
        case None:
            return None
