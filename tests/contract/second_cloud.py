"""A small cloud with one service, built on the core alone: it shows what a cloud has to bring.

Its post office is unlike AWS wherever it can be:

    request    at most 3 parcels and 300,000 bytes
    encoding   structured from our bus; binary, the attributes beside the data, from others
    receipts   how often a parcel was delivered before, as a text
    delay      60 s at most, for each group by itself
    envelope   {"parcel": ...} around anything, put on by a forwarder
    notices    {"notice": {"place": ..., "state": ...}}

What stands here is all that it has: a queue, a bus on it, an entry point, and two tables of words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from crosswind import Event
from crosswind.buses import contents as bodies
from crosswind.buses.batches import Limits, Refused, send
from crosswind.buses.contents import Content, assembled
from crosswind.buses.intake import Arrival, Intake, Outcome, comes_again
from crosswind.buses.later import delay, leg
from crosswind.buses.promises import accepted, check_taken
from crosswind.buses.routing import Routes
from crosswind.engine.dispatch import Around, Engine
from crosswind.ports import Message
from crosswind.signals import Ignored, SignalRejected, Translated
from crosswind_events import Codec, Fault
from crosswind_events.catalogue.region import RegionUnhealthy

REQUEST: Final = Limits(entries=3, bytes=300_000)
LONGEST: Final = 60
"""Seconds for which the office holds a parcel."""

_OVERHEAD: Final = 64


class Parcel(NamedTuple):
    """What is sent: an event in binary mode, or text."""

    attributes: Mapping[str, str]
    data: bytes


class Sent(NamedTuple):
    """A parcel on its way to a group, not before so many seconds."""

    group: str
    parcel: Parcel
    delay: int

    @property
    def size(self) -> int:
        named = sum(len(name) + len(value) for name, value in self.parcel.attributes.items())
        return len(self.parcel.data) + named + _OVERHEAD


@dataclass
class Letter:
    """A parcel as it is delivered; `delivered` says how often it was before."""

    id: str
    body: Parcel
    group: str
    due: float
    delivered: str = "-1"
    dead: bool = False

    @property
    def receipts(self) -> int:
        return int(self.delivered) + 1


@dataclass
class PostOffice:
    """The one service of this cloud.

    Attributes:
        clock: seconds since the epoch.
        most: how often a letter is delivered before it is dead.
        busy: how many parcels it does not take now.
        closed: why it takes none, for good.
        requests: how many parcels were in each request.
    """

    clock: Callable[[], float]
    most: int = 20
    busy: int = 0
    closed: str = ""
    letters: list[Letter] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    _numbers: int = 0

    def take(self, parcels: list[Sent]) -> list[Refused]:
        """Take parcels, and say which were not."""
        self.requests.append(len(parcels))
        assert len(parcels) <= REQUEST.entries
        assert len(parcels) == 1 or sum(one.size for one in parcels) <= REQUEST.bytes
        refused: list[Refused] = []
        for position, (group, parcel, seconds) in enumerate(parcels):
            if self.closed:
                refused.append(Refused(position, self.closed, True))
            elif self.busy > 0:
                self.busy -= 1
                refused.append(Refused(position, "the office is busy", False))
            else:
                assert 0 <= seconds <= LONGEST
                self._numbers += 1
                due = self.clock() + seconds
                self.letters.append(Letter(f"letter-{self._numbers}", parcel, group, due))
        return refused

    def deliver(
        self, group: str, count: int, visibility: float, *, dead: bool = False
    ) -> list[Letter]:
        """Hand out letters that are due; each comes again unless it is removed."""
        now = self.clock()
        for letter in self.letters:
            if letter.due <= now and letter.receipts >= self.most:
                letter.dead = True
        found = [
            letter
            for letter in self.letters
            if letter.group == group and letter.due <= now and letter.dead == dead
        ][:count]
        for letter in found:
            letter.delivered, letter.due = str(letter.receipts), now + visibility
        return found

    def remove(self, letter: Letter) -> None:
        """It was worked."""
        self.letters = [one for one in self.letters if one is not letter]

    def hold(self, letter: Letter, seconds: float) -> None:
        """It is to come again after so many seconds."""
        letter.due = self.clock() + seconds


class PostBus:
    """The bus on this post office.

    Args:
        routes: which groups want which events.
    """

    def __init__(self, office: PostOffice, routes: Routes) -> None:
        self.office = office
        self.routes = routes

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`."""
        taken, unfit = accepted(messages)
        now = self.office.clock()
        whose: list[Message] = []
        parcels: list[Sent] = []
        for message in taken:
            body, seconds = leg(message.body, message.due or now, now, LONGEST)
            for group in self.routes.groups(message.attributes):
                whose.append(message)
                parcels.append(Sent(group, Parcel({}, body), seconds))
        failed = [(whose[one.position], one.reason) for one in self._send(parcels)]
        check_taken(messages, failed, unfit)

    def send_later(self, group: str, name: str, event: bytes, due: float) -> str | None:
        """See `DelayingBus.send_later`."""
        body, seconds = leg(event, due, self.office.clock(), LONGEST)
        refused = self._send([Sent(group, Parcel({}, body), seconds)])
        return refused[0].reason if refused else None

    def _send(self, parcels: list[Sent]) -> list[Refused]:
        return send(
            parcels, [one.size for one in parcels], REQUEST, self.office.take, lambda seconds: None
        )


class Function:
    """The entry point: the office calls it with the letters of a group.

    Args:
        engine: works events; on the same bus.
        around: see `Engine.handle_batch`.
    """

    def __init__(
        self, engine: Engine, bus: PostBus, group: str, around: Around | None = None
    ) -> None:
        self.bus = bus
        self.intake = Intake(engine, bus, group, opener(engine.app.codec), translate, around)

    def __call__(
        self, letters: Sequence[Letter], left: float, *, dead: bool = False
    ) -> list[Outcome]:
        """Take in letters, and remove those that need not come again."""
        outcomes = self.intake.take(letters, self.intake.until(left), dead=dead)
        again = comes_again(outcomes)
        for letter in letters:
            if letter.id in again:
                self.bus.office.hold(letter, delay(again[letter.id].after, 0.0))
            else:
                self.bus.office.remove(letter)
        return outcomes


def opener(codec: Codec) -> Callable[[Any], list[Content]]:
    """Opens parcels, and the text of delayed events."""

    def opens(body: Parcel | str) -> list[Content]:
        if isinstance(body, str):
            return bodies.contents(body, [_in_parcel])
        if "ce-specversion" in body.attributes:
            return [assembled(body.attributes, body.data, codec)]
        return bodies.contents(body.data.decode("utf-8", "replace"), [_in_parcel])

    return opens


def _in_parcel(tree: Mapping[str, Any]) -> Any:
    return tree.get("parcel")


def translate(payload: Any) -> list[Translated]:
    """What a notice of this cloud means."""
    return list(_translated(json.loads(payload) if isinstance(payload, str) else payload))


def _translated(tree: Mapping[str, Any]) -> Iterator[Translated]:
    notice = tree.get("notice")
    if not isinstance(notice, dict) or "state" not in notice:
        yield SignalRejected([Fault("notice.state", "is missing")])
    elif notice["state"] != "down":
        yield Ignored(f"{notice['state']} says nothing of a region")
    else:
        region = RegionUnhealthy(
            region=notice["place"], evidence="provider", reason="a notice of the second cloud"
        )
        at = datetime.fromtimestamp(notice["at"], UTC)
        yield [Event.of(region, id=notice["id"], source="//second.example.com", time=at)]


def body(record: Arrival) -> bytes:
    """A letter as its group's queue would hold it."""
    data: bytes = record.body.data
    return data
