"""The queue of a subscription: what may be delivered next, and to whom.

Messages without an ordering key form one queue. With ordering enabled the messages of one key
form a lane of their own, in the order of publishing ("Order messages",
https://cloud.google.com/pubsub/docs/ordering):

- While messages of a key are out with a consumer, only that consumer gets more of them. So a
  stream receives a key as fast as it likes, while two consumers never hold one key at a time.
- When a message of a key fails, it and every later message of that key that is out come back, in
  order, ahead of those that wait. (Those acknowledged already are not delivered again.)
- The first message of a lane that waits out its back-off holds the whole lane.
"""

from collections import deque
from collections.abc import Iterable

from crosswind_local.pubsub.deliveries import Consumer, Entry


class Lane:
    """The messages of one ordering key."""

    __slots__ = ("holder", "key", "out", "place", "waiting")

    def __init__(self, key: str) -> None:
        self.key = key
        self.waiting: deque[Entry] = deque()
        self.out: dict[int, Entry] = {}
        """What is with `holder`, by number."""
        self.holder: Consumer | None = None
        self.place: Line | None = None
        """The line in which the lane stands for its turn."""


Line = deque[Entry | Lane]


class ReadyQueue:
    """Entries in the order in which they may be delivered."""

    def __init__(self, ordered: bool) -> None:
        self._ordered = ordered
        self._common: Line = deque()
        self._own: dict[Consumer, Line] = {}
        self._lanes: dict[str, Lane] = {}
        self._shown: Line = self._common
        """The line whose head was shown last."""

    def admit(self, consumer: Consumer) -> None:
        """Let a consumer keep to the keys it holds for as long as it stays."""
        self._own[consumer] = deque()

    def leave(self, consumer: Consumer) -> None:
        """A consumer takes no more; what it holds stays with it until settled or expired."""
        line = self._own.pop(consumer, None)
        for lane in line or ():
            if isinstance(lane, Lane) and lane.place is line:
                lane.place = None
                self._line_up(lane)

    def add(self, entries: Iterable[Entry]) -> None:
        """Entries are new: they go to the end."""
        if not self._ordered:
            self._common.extend(entries)
            return
        for entry in entries:
            lane = self._lane(entry)
            if lane is None:
                self._common.append(entry)
            else:
                lane.waiting.append(entry)
                self._line_up(lane)

    def peek(self, consumer: Consumer) -> Entry | None:
        """The entry that the consumer would get next."""
        own = self._own.get(consumer)
        line = own if own and self._has_head(own) else self._common
        if not self._has_head(line):
            return None
        self._shown = line
        head = line[0]
        return head.waiting[0] if isinstance(head, Lane) else head

    def take(self, consumer: Consumer) -> Entry:
        """Hand out the entry that `peek` has just shown to this consumer."""
        head = self._shown.popleft()
        if isinstance(head, Entry):
            return head
        entry = head.waiting.popleft()
        head.place = None
        head.holder = consumer
        head.out[entry.number] = entry
        self._line_up(head)
        return entry

    def settle(self, entry: Entry) -> None:
        """An entry that was out is done with."""
        lane = self._lane(entry)
        if lane is not None:
            lane.out.pop(entry.number, None)
            self._freed(lane)

    def companions(self, entry: Entry) -> list[Entry]:
        """The later entries of the same key that are out and must come back with this one."""
        lane = self._lane(entry)
        if lane is None:
            return []
        return sorted(
            (other for number, other in lane.out.items() if number > entry.number),
            key=lambda other: other.number,
        )

    def put_back(self, entries: list[Entry]) -> None:
        """Entries of one key, in order, or one without a key, failed and may go out again.

        One that is held is only put in its place; `release` sets it free.
        """
        lane = self._lane(entries[0])
        if lane is None:
            self._common.extend(entry for entry in entries if not entry.held)
            return
        for entry in reversed(entries):
            lane.out.pop(entry.number, None)
            lane.waiting.appendleft(entry)
        self._freed(lane)

    def release(self, entry: Entry) -> None:
        """An entry is held no longer."""
        lane = self._lane(entry)
        if lane is None:
            self._common.append(entry)
        else:
            self._line_up(lane)

    def _lane(self, entry: Entry) -> Lane | None:
        key = entry.message.ordering_key
        if not self._ordered or not key:
            return None
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key)
        return lane

    def _has_head(self, line: Line) -> bool:
        """Whether something may be taken from a line, once nothing stale is at its head."""
        while line:
            head = line[0]
            if isinstance(head, Entry):
                if not head.gone:
                    return True
            elif head.place is line:
                self._drop_gone(head)
                if head.waiting and not head.waiting[0].held:
                    return True
                head.place = None
            line.popleft()
        return False

    def _line_up(self, lane: Lane) -> None:
        """Let the lane stand where its next message may be taken, if it may be taken at all."""
        self._drop_gone(lane)
        if not lane.waiting:
            if not lane.out:
                self._lanes.pop(lane.key, None)
            return
        if lane.waiting[0].held:
            return
        line = self._common if lane.holder is None else self._own.get(lane.holder)
        if line is None or lane.place is line:
            return
        # Where it stood before, its name is stale and is passed over.
        lane.place = line
        line.append(lane)

    def _freed(self, lane: Lane) -> None:
        if not lane.out:
            lane.holder = None
        self._line_up(lane)

    @staticmethod
    def _drop_gone(lane: Lane) -> None:
        while lane.waiting and lane.waiting[0].gone:
            lane.waiting.popleft()
