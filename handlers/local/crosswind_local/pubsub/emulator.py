"""The Pub/Sub emulator as one thing: start it, point the SDK at it, stop it."""

from concurrent.futures import ThreadPoolExecutor

import grpc

from crosswind_local.calls import CallRecord
from crosswind_local.clock import Clock, SystemClock
from crosswind_local.errors import StartFailed
from crosswind_local.inspection import Inspection
from crosswind_local.lifecycle import LocalService
from crosswind_local.memory import DEFAULT_LIMIT, Memory
from crosswind_local.pubsub.broker import Broker
from crosswind_local.pubsub.push import Pusher
from crosswind_local.pubsub.wire import Wire

CONNECTIONS = 1_000
"""How many calls may be open at once, streams and waiting pulls included."""

_OPTIONS = [
    # Larger than a publish request may be, so that one too large gets the service's own answer.
    ("grpc.max_receive_message_length", 20 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
    # Two servers on one port would each see half of the calls.
    ("grpc.so_reuseport", 0),
]


class PubSubEmulator(LocalService):
    """Google Cloud Pub/Sub on 127.0.0.1, in this process.

        with PubSubEmulator() as pubsub:
            os.environ.update(pubsub.env)
            publisher = pubsub_v1.PublisherClient()

    Every project exists. All is kept in memory and gone once it stops.
    """

    def __init__(
        self, *, port: int = 0, clock: Clock | None = None, memory_limit: int = DEFAULT_LIMIT
    ) -> None:
        """Listen on `port`, or on a free one.

        `clock` is real time unless a test brings its own. `memory_limit` is in bytes of messages
        held, over all subscriptions; publishing beyond it is refused with RESOURCE_EXHAUSTED.
        """
        super().__init__()
        self._asked_port = port
        self._port = 0
        self.clock: Clock = SystemClock() if clock is None else clock
        self._calls = CallRecord()
        self._broker = Broker(self.clock, Memory(memory_limit))
        self._pusher = Pusher(self._broker)
        self._broker.on_configured = self._pusher.attend
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="local-pubsub")
        self._server: grpc.Server | None = None
        self._inspection = Inspection({"/": self.report, "/calls": self._calls.last})

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"127.0.0.1:{self._port}"

    @property
    def env(self) -> dict[str, str]:
        """What points every Google Pub/Sub SDK here."""
        return {"PUBSUB_EMULATOR_HOST": self.address}

    @property
    def inspection_url(self) -> str:
        """Where what it holds can be read as JSON."""
        return self._inspection.url

    def report(self) -> dict[str, object]:
        """What it holds: topics, subscriptions with their counts, memory, calls."""
        return {**self._broker.report(), "calls": self._calls.counts()}

    def forget(self, project: str) -> None:
        """Remove every topic and subscription of a project, given by its id."""
        self._broker.forget(f"projects/{project}")

    def _start(self) -> None:
        server = grpc.server(self._pool, options=_OPTIONS, maximum_concurrent_rpcs=CONNECTIONS)
        server.add_generic_rpc_handlers((Wire(self._broker, self._calls),))
        try:
            self._port = server.add_insecure_port(f"127.0.0.1:{self._asked_port}")
        except RuntimeError as error:
            raise StartFailed(
                f"port {self._asked_port} of 127.0.0.1 cannot be listened on; is it taken?"
            ) from error
        server.start()
        self._server = server
        self._inspection.start()

    def _stop(self) -> None:
        self._broker.close()
        self.clock.close()
        self._pusher.stop()
        if self._server is not None:
            self._server.stop(grace=0).wait(timeout=2)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._inspection.stop()
