"""The frames of an incoming connection, and the message format that each transfer states.

The format is how a sender says that one transfer holds a batch of messages: Service Bus clients
set it to 0x80013700 then. The protocol engine reads the field and does not pass it on; so the bytes
are cut in front of the engine, each piece holding at most one end of a delivery, and when the
engine reports a delivery as complete, its format is that of the piece it was just given. Contents
are never guessed at.

AMQP 1.0, part 2, sections 2.2 (protocol headers), 2.3 (framing) and 2.7.5 (transfer).
"""

from typing import NamedTuple

from crosswind_local.servicebus.amqp.decoding import decode, items
from crosswind_local.servicebus.amqp.values import Malformed

BATCH_FORMAT = 0x80013700
"""The message format of a transfer whose data sections are messages, encoded, one each."""

MAX_FRAME = 65_536
"""Bytes of the largest frame that is accepted."""

_HEADER_BYTES = 8
_TRANSFER = 0x14
_ABORTED = 9
"""The last field of a transfer that is looked at."""
_UNDER_WAY = 4_096
"""How many deliveries may be under way on one connection."""


class Piece(NamedTuple):
    """Bytes for the engine, with the message format of the delivery that they complete."""

    data: bytes
    format: int = 0


class _Transfer(NamedTuple):
    handle: int
    number: object
    format: int
    more: bool
    aborted: bool


class FrameCutter:
    """Cuts what a connection receives into pieces, whatever the reads happen to hold."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun: dict[tuple[int, int], _Transfer] = {}
        """The first transfer of each delivery that is not whole yet, by channel and handle."""

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces of all frames that are whole by now.

        Raises:
            Malformed: the bytes are not frames, or one is too large.
        """
        buffer = self._rest + data if self._rest else data
        pieces: list[Piece] = []
        begun = at = 0
        while (end := _frame_end(buffer, at)) is not None:
            completed = self._completed(buffer, at, end)
            at = end
            if completed is not None:
                pieces.append(Piece(buffer[begun:at], completed))
                begun = at
        if at > begun:
            pieces.append(Piece(buffer[begun:at]))
        self._rest = buffer[at:]
        return pieces

    def _completed(self, frame: bytes, start: int, end: int) -> int | None:
        """The format of the delivery that a frame completes, if it completes one."""
        if frame[start : start + 4] == b"AMQP" or frame[start + 5] != 0:
            return None
        at = start + 4 * frame[start + 4]
        if at >= end:
            return None
        transfer = _read_transfer(frame[at:end])
        if transfer is None:
            return None
        key = (int.from_bytes(frame[start + 6 : start + 8], "big"), transfer.handle)
        begun = self._begun.get(key)
        if begun is None or transfer.number not in {None, begun.number}:
            begun = transfer
        if transfer.more and not transfer.aborted:
            self._begun[key] = begun
            if len(self._begun) > _UNDER_WAY:
                raise Malformed("too many deliveries are under way")
            return None
        self._begun.pop(key, None)
        return begun.format


def _frame_end(buffer: bytes, at: int) -> int | None:
    """Where the frame or protocol header that begins at `at` ends; None when it is not whole."""
    if len(buffer) - at < _HEADER_BYTES:
        return None
    if buffer[at : at + 4] == b"AMQP":
        return at + _HEADER_BYTES
    size = int.from_bytes(buffer[at : at + 4], "big")
    if not _HEADER_BYTES <= size <= MAX_FRAME:
        raise Malformed(f"a frame of {size} bytes")
    if not 2 <= buffer[at + 4] <= size // 4:
        raise Malformed("a frame whose header is longer than it is")
    return at + size if len(buffer) - at >= size else None


def _read_transfer(body: bytes) -> _Transfer | None:
    """The fields of a transfer; None when the frame is anything else."""
    if body[0] != 0:
        raise Malformed("a frame without a performative")
    if body[1:2] == b"\x53":
        code: object = body[2] if len(body) > 2 else None
        at = 3
    else:
        code, at = decode(body, 1)
    if code not in {_TRANSFER, "amqp:transfer:list"}:
        return None
    fields: list[object] = []
    for start, _ in items(body, at):
        fields.append(decode(body, start)[0])
        if len(fields) == _ABORTED + 1:
            break
    fields += [None] * (_ABORTED + 1 - len(fields))
    handle, form = fields[0], fields[3]
    if not isinstance(handle, int):
        raise Malformed("a transfer without a handle")
    return _Transfer(
        handle,
        number=fields[1],
        format=form if isinstance(form, int) else 0,
        more=fields[5] is True,
        aborted=fields[_ABORTED] is True,
    )
