"""One client: its bytes go to the protocol engine, and what the engine reports goes to its links.

The engine (qpid-proton) does no I/O of its own here. Bytes are cut into pieces in front of it
(`amqp.frames`), so that the message format of each delivery is known when the engine reports it.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import proton
from proton import Collector, Endpoint, Event, EventType, Transport

from crosswind_local.calls import CallRecord
from crosswind_local.servicebus import limits
from crosswind_local.servicebus.amqp.frames import MAX_FRAME, FrameCutter
from crosswind_local.servicebus.amqp.values import Malformed
from crosswind_local.servicebus.conditions import Refused, quota
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.wire.attaching import attach
from crosswind_local.servicebus.wire.links import Link, Outbox, refuse, told

LOG = logging.getLogger(__name__)

IDLE_SECONDS = 240
"""After this time without a frame a client is taken for gone. It is real time, as the network's."""

OUTGOING_BYTES = 1_048_576
"""How much of a session may wait to be sent before no more is delivered to it."""


@dataclass(slots=True)
class Service:
    """What all connections share."""

    namespace: Namespace
    calls: CallRecord
    connections: "set[Connection]" = field(default_factory=set)


class Connection(asyncio.Protocol):
    """A client's connection, from the first byte to the last."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.links: dict[proton.Link, Link] = {}
        self._cutter = FrameCutter()
        self._engine = proton.Connection()
        self._collector = Collector()
        self._transport = Transport(Transport.SERVER)
        self._socket: asyncio.Transport | None = None
        self._format = 0
        self._full = False
        self._crowded: set[Outbox] = set()
        self._touched = False
        self._tick: asyncio.TimerHandle | None = None
        self._handlers: dict[EventType, Callable[[Event], None]] = {
            Event.CONNECTION_REMOTE_OPEN: self._opened,
            Event.CONNECTION_REMOTE_CLOSE: self._closed,
            Event.SESSION_REMOTE_OPEN: self._session_opened,
            Event.SESSION_REMOTE_CLOSE: self._session_closed,
            Event.LINK_REMOTE_OPEN: self._link_opened,
            Event.LINK_REMOTE_CLOSE: self._link_closed,
            Event.LINK_REMOTE_DETACH: self._link_closed,
            Event.LINK_FLOW: self._link_flow,
            Event.DELIVERY: self._delivery,
        }

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        self.service.connections.add(self)
        self._transport.max_frame_size = MAX_FRAME
        self._transport.idle_timeout = IDLE_SECONDS
        sasl = self._transport.sasl()
        # Whoever connects may do everything, so who it is is not asked.
        sasl.allowed_mechs("ANONYMOUS")
        self._engine.collect(self._collector)
        self._transport.bind(self._engine)
        self._work()

    def data_received(self, data: bytes) -> None:
        try:
            for piece in self._cutter.feed(data):
                self._format = piece.format
                self._push(piece.data)
                self._handle_events()
        except (Malformed, proton.ProtonException) as error:
            LOG.warning("a client is cut off, for it does not speak AMQP: %s", error)
            self.abort()
        else:
            self._work()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._work()

    def connection_lost(self, exc: Exception | None) -> None:
        self.service.connections.discard(self)
        if self._tick is not None:
            self._tick.cancel()
        self._socket = None
        self._leave(list(self.links.values()))
        self._transport.unbind()
        self._engine.free()
        # Objects of the engine must be freed by this thread; so nothing may hold them in a ring.
        self._handlers.clear()
        self._crowded.clear()
        del self._engine, self._collector, self._transport

    # What links use

    def touch(self) -> None:
        """Something is to be sent, from outside of what this connection has received."""
        if not self._touched:
            self._touched = True
            asyncio.get_running_loop().call_soon(self._work)

    def has_room(self, outbox: Outbox) -> bool:
        """Whether one more message may be handed to the engine; if not, it is asked again later."""
        if self._full or outbox.session.outgoing_bytes > OUTGOING_BYTES:
            self._crowded.add(outbox)
            return False
        return True

    def abort(self) -> None:
        """Cut the client off."""
        if self._socket is not None:
            self._socket.abort()

    def close(self, because: Refused) -> None:
        """Close the connection and say why."""
        self._engine.condition = told(because)
        self._engine.close()
        self._work()
        if self._socket is not None:
            self._socket.close()

    # What the engine reports

    def _work(self) -> None:
        """Deal with all events and send what the engine has to say."""
        self._touched = False
        if self._socket is None:
            return
        self._handle_events()
        self._send()
        if self._crowded and not self._full:
            crowded, self._crowded = self._crowded, set()
            for outbox in crowded:
                outbox.flow()
            self._handle_events()
            self._send()
        if self._tick is None:
            self._keep_alive()

    def _handle_events(self) -> None:
        collector = self._collector
        while (event := collector.peek()) is not None:
            handler = self._handlers.get(event.type)
            if handler is not None:
                try:
                    handler(event)
                except Exception as error:
                    # A fault of ours must not leave the client waiting without a word.
                    LOG.exception("%s failed", event.type)
                    self._engine.condition = told(Refused("amqp:internal-error", str(error)))
                    self._engine.close()
            collector.pop()

    def _push(self, data: bytes) -> None:
        """Hand bytes to the engine, whose buffer grows to the size of a frame step by step."""
        at = 0
        while at < len(data):
            room = self._transport.capacity()
            if room <= 0:
                return  # It has closed its end; what comes after that is of no interest.
            self._transport.push(data[at : at + room])
            at += room

    def _send(self) -> None:
        transport, socket = self._transport, self._socket
        while socket is not None and not self._full:
            pending = transport.pending()
            if pending < 0:
                socket.close()
                return
            if pending == 0:
                return
            data = transport.peek(pending)
            if not data:
                return
            socket.write(data)
            transport.pop(len(data))

    def _keep_alive(self) -> None:
        """Let the engine send a heartbeat, or give the client up, and ask when to look again."""
        loop = asyncio.get_running_loop()
        due = self._transport.tick(loop.time())
        if self._tick is not None:
            self._tick.cancel()
        self._tick = loop.call_at(due, self._timed_out) if due else None

    def _timed_out(self) -> None:
        self._keep_alive()
        self._work()

    def _opened(self, event: Event) -> None:
        self._engine.container = "crosswind-local"
        self._engine.open()
        # How often the client wants to hear from us is known from now on.
        self._keep_alive()
        if len(self.service.connections) > limits.CONNECTIONS:
            because = f"ConnectionsQuotaExceeded: more than {limits.CONNECTIONS} connections."
            self._engine.condition = told(quota(because))
            self._engine.close()

    def _closed(self, event: Event) -> None:
        self._leave(list(self.links.values()))
        self._engine.close()

    def _session_opened(self, event: Event) -> None:
        if event.session is not None:
            event.session.open()

    def _session_closed(self, event: Event) -> None:
        session = event.session
        if session is not None:
            self._leave([link for link in self.links.values() if link.link.session == session])
            session.close()
            session.free()

    def _link_opened(self, event: Event) -> None:
        link = event.link
        if link is None or link.state & Endpoint.LOCAL_ACTIVE:
            return
        if len(self.links) >= limits.LINKS:
            refuse(link, quota(f"A connection has {limits.LINKS} links at most."))
            return
        attached = attach(self, link)
        if attached is not None:
            self.links[link] = attached

    def _link_closed(self, event: Event) -> None:
        link = event.link
        if link is not None:
            self._leave([self.links[link]] if link in self.links else [])
            link.close()
            link.free()

    def _link_flow(self, event: Event) -> None:
        link = self.links.get(event.link) if event.link is not None else None
        if link is not None:
            link.flow()

    def _delivery(self, event: Event) -> None:
        delivery = event.delivery
        if delivery is not None:
            link = self.links.get(delivery.link)
            if link is not None:
                link.delivery(delivery, self._format)

    def _leave(self, links: list[Link]) -> None:
        for link in links:
            self.links.pop(link.link, None)
            if isinstance(link, Outbox):
                self._crowded.discard(link)
            link.left()
