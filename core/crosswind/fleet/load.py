"""Reads a fleet from YAML or JSON; of every fault it says the line and what to write instead."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ValidationError

from crosswind.errors import FleetInvalid
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.documents import MAX_BYTES, Document, DocumentError
from crosswind.fleet.explanations import explain, written
from crosswind.fleet.formats import read_json, read_yaml

MAX_LISTED: Final = 500
"""Faults that are listed one by one; more are counted."""


class Read(NamedTuple):
    """A fleet, and the document that declares it."""

    fleet: Fleet
    name: str
    document: Document

    def cautions(self, now: float, kinds: Collection[str] = ()) -> Iterator[str]:
        """What is probably not meant, each with its line and what to write instead.

        Args:
            now: seconds since the epoch.
            kinds: of the actions that are taken at all, where they are known.
        """
        from crosswind.fleet.cautions import cautions

        found = sorted(
            (self.document.line(path), f"{written(path)}: {problem}")
            for path, problem in cautions(self.fleet, now, kinds)
        )
        return (f"{self.name}:{line}: {problem}" for line, problem in found)


def load_fleet(path: str | os.PathLike[str]) -> Fleet:
    """Read a fleet from a file.

    Args:
        path: `*.yaml` or `*.yml`, which needs PyYAML (`crosswind[cli]`), or `*.json`.

    Raises:
        FleetInvalid: lists every fault with its line.
        ImportError: the file is YAML and PyYAML is not installed.
    """
    return read_fleet(path).fleet


def read_fleet(path: str | os.PathLike[str]) -> Read:
    """Read a fleet from a file, with the document that it stands in; see `load_fleet`."""
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FleetInvalid(f"{name} cannot be read: {error.strerror}") from error
    return _parse(content, name)


def parse_fleet(text: str | bytes, name: str = "fleet.yaml") -> Fleet:
    """Read a fleet from text.

    Args:
        text: the document, UTF-8 where it is bytes.
        name: how faults call it; it is JSON if this ends in `.json`, else YAML.

    Raises:
        FleetInvalid: lists every fault with its line.
        ImportError: the text is YAML and PyYAML is not installed.
    """
    return _parse(text, name).fleet


def _parse(text: str | bytes, name: str) -> Read:
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
    return Read(fleet, name, document)


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
