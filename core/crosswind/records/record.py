"""The record of a run: journal, idempotency key and outbox in one item.

A decision is one write of this item. It holds the event that came in, everything that the handler
observed and did in the order in which it did so, its failures, and the events that go out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from pydantic_core import from_json, to_json

State = Literal["claimed", "suspended", "retrying", "committed", "dropped", "failed", "redriven"]

FINISHED: Final = frozenset({"committed", "dropped", "failed"})
WAITING: Final = frozenset({"suspended", "retrying"})

_ACT: Final = "act:"
_WHERE_SET: Final = (
    "why",
    "owner",
    "lease",
    "until",
    "simulated",
    "redrives",
    "proposals",
    "queued",
    "forgiven",
)
_COMMITTED: Final = b'{"v":1,"state":"committed",'
_UNSETTLED: Final = b',"settled":false}'
_SETTLED: Final = b',"settled":true}'


class _Outstanding:
    """The result of an action that has none yet."""

    def __repr__(self) -> str:
        return "OUTSTANDING"


OUTSTANDING: Final = _Outstanding()


@dataclass(slots=True)
class Entry:
    """One thing that a handler observed or did.

    Attributes:
        kind: `now`, `fleet`, `lock`, `evidence`, `query:KIND`, `join:NAME`, `close:NAME`,
            `settle:NAME`, `answered:NAME`, `act:KIND`.
        args: what was asked, as JSON.
        result: what was answered, as JSON; `OUTSTANDING` for an action without a result.
        at: when it was asked first, seconds since the epoch.
        took: seconds until the result, for actions.
        mode: the gate's mode for an action: observe, propose or act.
        asked: how often the performer was called.
        pending: the performer's note while an action is under way.
        simulated: the result was assumed and nothing was done.
        approval: the proposal that a person was asked about.
        refused: why the action was not taken; the result is then the refusal.
        text: all of it as JSON text, once nothing of it changes any more.
    """

    kind: str
    args: Any
    result: Any = OUTSTANDING
    at: float = 0.0
    took: float | None = None
    mode: str | None = None
    asked: int = 0
    pending: str | None = None
    simulated: bool = False
    approval: dict[str, Any] | None = None
    refused: dict[str, Any] | None = None
    text: bytes | None = field(default=None, repr=False, compare=False)

    @classmethod
    def observed(cls, kind: str, args: Any, result: Any, at: float) -> Self:
        """What was seen, which stays as it is."""
        text = to_json({"kind": kind, "args": args, "at": at, "result": result})
        return cls(kind, args, result, at, text=text)

    @property
    def is_action(self) -> bool:
        """Whether it is something done, not seen."""
        return self.kind.startswith(_ACT)

    @property
    def done(self) -> bool:
        """Whether its result is known."""
        return self.result is not OUTSTANDING

    def as_json(self) -> dict[str, Any]:
        """As stored, without what says nothing."""
        stored: dict[str, Any] = {"kind": self.kind, "args": self.args, "at": self.at}
        if self.done:
            stored["result"] = self.result
        for name in ("took", "mode", "asked", "pending", "simulated", "approval", "refused"):
            value = getattr(self, name)
            if value:
                stored[name] = value
        return stored

    def encode(self) -> bytes:
        """As JSON text."""
        return self.text or to_json(self.as_json())


@dataclass(slots=True)
class Outgoing:
    """One event of the outbox: its structured JSON, native message id and due time."""

    body: bytes
    message_id: str
    attributes: dict[str, str | int | bool]
    due: float | None = None
    resume: bool = False

    @classmethod
    def from_stored(cls, stored: dict[str, Any]) -> Self:
        """From the record; the attributes are read off the event again."""
        event = stored["event"]
        return cls(
            body=to_json(event),
            message_id=stored["id"],
            attributes=attributes(event),
            due=stored.get("due"),
            resume=stored.get("resume", False),
        )


def attributes(event: dict[str, Any]) -> dict[str, str | int | bool]:
    """What a bus filters on and routes by: every attribute of an event but its data."""
    return {
        name: value
        for name, value in event.items()
        if name not in ("data", "data_base64", "specversion") and value is not None
    }


@dataclass(slots=True)
class Failure:
    """One failed attempt."""

    at: float
    error: str
    turn: int


@dataclass(slots=True)
class Record:
    """One run.

    Attributes:
        event: the event that came in, structured JSON.
        turn: counts suspensions and retries; only the resume event of this turn continues it.
        owner, lease: who holds the claim, and until when (seconds since the epoch).
        until: when it is to be continued.
        why: why it was dropped or waits, for people.
        first: the handled event opened the chain or joined it.
        simulated: something in it was assumed and not done.
        settled: the outbox was published, and the chain is listed.
        redrives: how often a person has redriven it.
        proposals: how many proposals it has made.
        queued: it waits for its flight and has not been admitted to a chain.
        forgiven: how many of its failures came before the last redrive.
    """

    state: State
    handler: str
    group: str
    code: str
    chain: str
    run: str
    event: bytes
    began: float
    ended: float | None = None
    turn: int = 0
    log: list[Entry] = field(default_factory=list)
    fails: list[Failure] = field(default_factory=list)
    out: list[Outgoing] = field(default_factory=list)
    why: str = ""
    owner: str = ""
    lease: float = 0.0
    until: float | None = None
    first: bool = False
    simulated: bool = False
    settled: bool = False
    redrives: int = 0
    proposals: int = 0
    queued: bool = False
    forgiven: int = 0

    def encode(self) -> bytes:
        """As stored: the events stand in it as the JSON that they are."""
        fixed: dict[str, Any] = {
            "v": 1,
            "state": self.state,
            "handler": self.handler,
            "group": self.group,
            "code": self.code,
            "chain": self.chain,
            "run": self.run,
            "began": self.began,
            "ended": self.ended,
            "turn": self.turn,
            "first": self.first,
        }
        if self.state != "committed" or self.lease or self.redrives or self.simulated:
            for name in _WHERE_SET:
                value = getattr(self, name)
                if value:
                    fixed[name] = value
        parts = [to_json(fixed)[:-1]]
        if self.log:
            parts += (b',"log":[', b",".join([entry.encode() for entry in self.log]), b"]")
        if self.fails:
            fails = [[fail.at, fail.error, fail.turn] for fail in self.fails]
            parts += (b',"fails":', to_json(fails))
        parts += (b',"event":', self.event)
        if self.out:
            parts.append(b',"out":[')
            separator = b'{"id":"'
            for out in self.out:
                parts += (separator, out.message_id.encode())
                if out.due is not None:
                    parts.append(b'","due":%.3f,"event":' % out.due)
                else:
                    parts.append(b'","event":')
                parts.append(out.body)
                parts.append(b',"resume":true}' if out.resume else b"}")
                separator = b',{"id":"'
            parts.append(b"]")
        parts.append(_SETTLED if self.settled else _UNSETTLED)
        return b"".join(parts)

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """From the store."""
        stored: dict[str, Any] = from_json(value)
        stored.pop("v")
        stored["event"] = to_json(stored["event"])
        stored["log"] = [Entry(**entry) for entry in stored.get("log", ())]
        stored["fails"] = [Failure(*fail) for fail in stored.get("fails", ())]
        stored["out"] = [Outgoing.from_stored(out) for out in stored.get("out", ())]
        return cls(**stored)

    def kept_after_failure(self) -> list[Entry]:
        """What a retry goes on from: everything up to the last action; the rest is seen anew."""
        for position in range(len(self.log), 0, -1):
            if self.log[position - 1].is_action:
                return self.log[:position]
        return []


def surely_committed(value: bytes) -> bool:
    """Whether a stored record says so in its first words; False means: decode it."""
    return value.startswith(_COMMITTED)


def settled(value: bytes) -> bytes:
    """A stored record, marked as settled."""
    if not value.endswith(_UNSETTLED):
        return value
    return value[: -len(_UNSETTLED)] + _SETTLED
