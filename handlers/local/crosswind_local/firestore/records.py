"""A document's place in the storage: its name, and its versions from the oldest to the newest."""

from dataclasses import dataclass

from crosswind_local.firestore import values
from crosswind_local.firestore.protocol import Pb

VERSION_BYTES = 1_900
"""What a version takes beside its contents, measured with small documents."""

RECORD_BYTES = 600
"""What a record takes beside its name and versions, likewise."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a document was from a time on, in microseconds since 1970; None when it was gone."""

    since: int
    document: Pb | None


class Record:
    """All that is known of one document."""

    __slots__ = ("key", "name", "versions")

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = values.name_key(name)
        self.versions: list[Version] = []

    def at(self, time: int | None) -> Pb | None:
        """The document at a time, or now; None where there was none."""
        if time is None:
            return self.versions[-1].document
        for version in reversed(self.versions):
            if version.since <= time:
                return version.document
        return None


def cost_of_record(name: str) -> int:
    """Bytes of memory that a record takes without its versions, roughly."""
    return RECORD_BYTES + len(name)


def cost_of(document: Pb | None) -> int:
    """Bytes of memory that a version takes, roughly."""
    return VERSION_BYTES + (0 if document is None else int(document.ByteSize()))
