"""Where the processes of a world are: a file by which other processes find them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from crosswind.errors import CrosswindError

FILE: Final = "world.json"

HOST: Final = "127.0.0.1"
"""The only address that the processes of a world bind."""


class NoWorld(CrosswindError, FileNotFoundError):
    """No world runs in this directory."""


class Address(BaseModel):
    """One process: its port on the loopback address, and its process id."""

    model_config = ConfigDict(frozen=True)

    port: int
    pid: int


class Callers(BaseModel):
    """A running load: its process id, its workload, and the file of answers."""

    model_config = ConfigDict(frozen=True)

    pid: int
    workload: str
    answers: Path


class Addresses(BaseModel):
    """All processes of a world."""

    model_config = ConfigDict(frozen=True)

    proxy: Address
    servers: Mapping[str, Address]
    workloads: tuple[str, ...]
    loads: tuple[Callers, ...] = ()

    @classmethod
    def read(cls, directory: Path) -> Addresses:
        """The addresses of the world that runs in this directory.

        Raises:
            NoWorld: there is none.
        """
        try:
            content = (directory / FILE).read_bytes()
        except FileNotFoundError:
            raise NoWorld(
                f"no world runs in {directory}: there is no {FILE}; start one there first"
            ) from None
        return cls.model_validate_json(content)

    def write(self, directory: Path) -> None:
        """Write the file; a reader sees the old one or the new one."""
        draft = directory / f"{FILE}.{os.getpid()}"
        draft.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        draft.replace(directory / FILE)
