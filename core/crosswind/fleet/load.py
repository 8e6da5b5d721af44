"""Reads a fleet from YAML or JSON; of every fault it says the line and what to write instead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from crosswind.errors import FleetInvalid
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.documents import MAX_BYTES, Document, DocumentError
from crosswind.fleet.explanations import explain, written
from crosswind.fleet.formats import read_json, read_yaml

MAX_LISTED: Final = 500
"""Faults that are listed one by one; more are counted."""


def load_fleet(path: str | os.PathLike[str]) -> Fleet:
    """Read a fleet from a file.

    Args:
        path: `*.yaml` or `*.yml`, which needs PyYAML (`crosswind[cli]`), or `*.json`.

    Raises:
        FleetInvalid: lists every fault with its line.
        ImportError: the file is YAML and PyYAML is not installed.
    """
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FleetInvalid(f"{name} cannot be read: {error.strerror}") from error
    return parse_fleet(content, name)


def parse_fleet(text: str | bytes, name: str = "fleet.yaml") -> Fleet:
    """Read a fleet from text.

    Args:
        text: the document, UTF-8 where it is bytes.
        name: how faults call it; it is JSON if this ends in `.json`, else YAML.

    Raises:
        FleetInvalid: lists every fault with its line.
        ImportError: the text is YAML and PyYAML is not installed.
    """
    try:
        document = _read(text, name)
    except DocumentError as error:
        raise FleetInvalid(f"{name}:{error.line}: {error.problem}") from error
    found = [(fault.line, fault.problem) for fault in document.faults]
    try:
        fleet = Fleet.model_validate(document.value)
    except ValidationError as error:
        found.extend(_faults(error, document))
        raise FleetInvalid(_report(name, found)) from None
    if found:
        raise FleetInvalid(_report(name, found))
    return fleet


def fleet_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of fleet.yaml, for editors and for other programs.

    It describes the shape; that names refer to each other and that declared placements keep the
    safety rules is checked when a fleet is loaded.
    """
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Fleet.model_json_schema()}


def _read(text: str | bytes, name: str) -> Document:
    if len(text) > MAX_BYTES or (isinstance(text, str) and len(text.encode()) > MAX_BYTES):
        raise DocumentError(f"the document is larger than {MAX_BYTES // 1000} kB; split the fleet")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise DocumentError(
                "the document is not UTF-8; save it in that encoding", line
            ) from error
    document = read_json(text) if name.lower().endswith(".json") else read_yaml(text)
    if document.value is None:
        raise DocumentError("the document is empty; begin with name:, regions: and workloads:")
    return document


def _faults(error: ValidationError, document: Document) -> Iterator[tuple[int, str]]:
    for detail in error.errors(include_url=False):
        for path, problem in explain(detail):
            where = written(path)
            yield document.line(path), f"{where}: {problem}" if where else problem


def _report(name: str, found: list[tuple[int, str]]) -> str:
    count = f"{len(found)} faults" if len(found) > 1 else "one fault"
    listed = [f"  {name}:{line}: {problem}" for line, problem in sorted(found)[:MAX_LISTED]]
    if len(found) > MAX_LISTED:
        listed.append(f"  and {len(found) - MAX_LISTED} more")
    return "\n".join([f"{name} does not declare a fleet; it has {count}:", *listed])
