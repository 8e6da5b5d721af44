"""What the first write of a run carries beside the run: the chain's head, evidence, conditions.

    Continuing   a later event of a chain: nothing
    Opening      a first event without a flight: the head, if there is none
    Leading      a first event whose flight it leads: the head with its lock, its evidence,
                 and that its role still stands
    Joining      a first event that joined another chain: its evidence, and that chain's head,
                 open and as it was read
    Unadmitted   a first event that was given up before it was admitted: that it has no role yet

Each answers a conflict on its own keys by looking again, or by saying that the run has to be
admitted anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from crosswind.engine.turns import AdmitAgain
from crosswind.ports import ABSENT, Change, Check, Item, Put
from crosswind.records.head import Head
from crosswind.records.identity import EVIDENCE, HEAD


@dataclass(slots=True)
class Continuing:
    """A later event: the head exists and is nobody's business until something is done."""

    scope: str | None = None

    def changes(self, closing: Head | None, version: str | None, expires: float) -> list[Change]:
        """The changes beside the run's own; `closing` is the head to be put at `version`."""
        changes: list[Change] = []
        if self.scope is not None:
            changes.append(Check(self.scope, ABSENT))
        if closing is not None and version is not None:
            changes.append(Put(HEAD, closing.encode(), version, expires))
        return changes

    def mend(self, found: dict[str, Item | None]) -> None:
        """Nothing here can be mended by looking again."""


@dataclass(slots=True)
class Opening(Continuing):
    """A first event: puts the head if there is none."""

    head: Head = field(default_factory=lambda: Head(0.0))
    version: str | None = ABSENT

    def changes(self, closing: Head | None, version: str | None, expires: float) -> list[Change]:
        """Also the head, open or closed at once, unless another first run has put it."""
        if closing is not None:
            expect = version if version is not None else self.version
            return [Put(HEAD, closing.encode(), expect or ABSENT, expires)]
        if self.version == ABSENT:
            return [Put(HEAD, self.head.encode(), ABSENT, expires)]
        return []

    def mend(self, found: dict[str, Item | None]) -> None:
        """Where the head exists already the write is repeated without it."""
        item = found.get(HEAD)
        if item is not None:
            self.head, self.version = Head.decode(item.value), item.version


@dataclass(slots=True)
class Leading(Opening):
    """A first event that holds its flight's lock.

    `evidence_key` is empty where another handler's first run has put head and evidence already.
    """

    role_key: str = ""
    role_version: str = ""
    evidence_key: str = ""
    evidence: bytes = b""

    def changes(self, closing: Head | None, version: str | None, expires: float) -> list[Change]:
        """The head with lock, the evidence, and the role on which all of this relies."""
        changes: list[Change] = [Check(self.role_key, self.role_version)]
        if self.evidence_key or closing is not None:
            head = self.head if closing is None else closing
            expect = self.version if version is None else version
            changes.append(Put(HEAD, head.encode(), expect or ABSENT, expires))
        if self.evidence_key:
            changes.append(Put(EVIDENCE + self.evidence_key, self.evidence, ABSENT, expires))
        return changes

    def mend(self, found: dict[str, Item | None]) -> None:
        """Another first run of this chain was quicker, or the role has changed."""
        if self.role_key in found or HEAD in found:
            raise AdmitAgain


@dataclass(slots=True)
class Joining(Opening):
    """A first event that is weighed in the chain that it joined."""

    evidence_key: str = ""
    evidence: bytes = b""

    def changes(self, closing: Head | None, version: str | None, expires: float) -> list[Change]:
        """The evidence, and the head with one more piece of it."""
        head = (self.head if closing is None else closing).with_evidence()
        return [
            Put(HEAD, head.encode(), self.version or ABSENT, expires),
            Put(EVIDENCE + self.evidence_key, self.evidence, ABSENT, expires),
        ]

    def mend(self, found: dict[str, Item | None]) -> None:
        """The head moved: look again, and lead another chain if it has closed."""
        item = found.get(HEAD)
        if item is None:
            return
        head = Head.decode(item.value)
        if not head.open or head.generation != self.head.generation:
            raise AdmitAgain
        self.head, self.version = head, item.version


@dataclass(slots=True)
class Unadmitted(Continuing):
    """A first event that is given up before it has a role in its flight.

    Who takes a role afterwards finds its run in its own chain, and works it nowhere.
    """

    role_key: str = ""

    def changes(self, closing: Head | None, version: str | None, expires: float) -> list[Change]:
        """That there is no role."""
        return [Check(self.role_key, ABSENT)]

    def mend(self, found: dict[str, Item | None]) -> None:
        """It was admitted meanwhile."""
        if self.role_key in found:
            raise AdmitAgain
