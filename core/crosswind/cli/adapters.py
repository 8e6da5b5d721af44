"""The adapters of clouds, which the core knows by name only."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from crosswind.cli.faults import Failure

_SDKS: Final = {"botocore"}
"""Modules whose absence says that an adapter is not installed."""


@contextmanager
def adapter(cloud: str, part: str) -> Iterator[Any]:
    """A module of the adapter of a cloud; what loads its SDK belongs within.

    Raises:
        Failure: the adapter or its SDK is not installed.
    """
    name = f"crosswind_{cloud}.{part}"
    try:
        yield importlib.import_module(name)
    except ModuleNotFoundError as error:
        root = (error.name or "").partition(".")[0]
        missing = not error.name or not (name.startswith(error.name) or root in _SDKS)
        if missing:
            raise
        raise Failure(
            f"the adapter for {cloud} is not installed; pip install 'crosswind[{cloud}]'"
        ) from error
