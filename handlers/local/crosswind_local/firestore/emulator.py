"""The Firestore emulator as one thing: start it, point the SDK at it, stop it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import grpc

from crosswind_local.calls import CallRecord
from crosswind_local.clock import Clock, SystemClock
from crosswind_local.errors import StartFailed
from crosswind_local.firestore.engine import LOCK_SECONDS, Engine
from crosswind_local.firestore.memory import DocumentMemory
from crosswind_local.firestore.service import Service
from crosswind_local.firestore.wire import Wire
from crosswind_local.inspection import Inspection
from crosswind_local.lifecycle import LocalService
from crosswind_local.memory import DEFAULT_LIMIT

CONNECTIONS = 1_000
"""How many calls may be open at once, waiting commits included."""

_OPTIONS = [
    # Larger than a request may be, so that one too large gets the service's own answer.
    ("grpc.max_receive_message_length", 20 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
    # Two servers on one port would each see half of the calls.
    ("grpc.so_reuseport", 0),
]


class FirestoreEmulator(LocalService):
    """Google Cloud Firestore, Native mode, on 127.0.0.1, in this process.

        with FirestoreEmulator() as firestore:
            os.environ.update(firestore.env)
            client = google.cloud.firestore.Client(project="demo")

    Every project and every database exists. All is kept in memory and gone once it stops.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        clock: Clock | None = None,
        memory_limit: int = DEFAULT_LIMIT,
        ttl: Mapping[str, str] | None = None,
        ttl_delay: float = 0.0,
        lock_wait: float = LOCK_SECONDS,
    ) -> None:
        """Listen on `port`, or on a free one.

        Args:
            clock: real time unless a test brings its own.
            memory_limit: bytes of documents, their past and locks; a write beyond it is refused
                with RESOURCE_EXHAUSTED.
            ttl: the field with the time of expiry, for each collection group that has one.
            ttl_delay: seconds from the expiry of a document to its deletion; the service takes up
                to a day.
            lock_wait: seconds that a commit waits for older transactions before it is ABORTED.

        Raises:
            InvalidPolicy: a group or a field of `ttl` is none, or `ttl_delay` is negative.
        """
        super().__init__()
        self._asked_port = port
        self._port = 0
        self.clock: Clock = SystemClock() if clock is None else clock
        self._calls = CallRecord()
        self._engine = Engine(
            self.clock,
            DocumentMemory(memory_limit),
            ttl=ttl,
            ttl_delay=ttl_delay,
            lock_wait=lock_wait,
        )
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="local-firestore")
        self._server: grpc.Server | None = None
        self._inspection = Inspection({"/": self.report, "/calls": self._calls.last})

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"127.0.0.1:{self._port}"

    @property
    def env(self) -> dict[str, str]:
        """What points every Google Firestore SDK here."""
        return {"FIRESTORE_EMULATOR_HOST": self.address}

    @property
    def inspection_url(self) -> str:
        """Where what it holds can be read as JSON."""
        return self._inspection.url

    def report(self) -> dict[str, object]:
        """What it holds: documents by database and collection, transactions, memory, calls."""
        return {**self._engine.report(), "calls": self._calls.counts()}

    def forget(self, project: str) -> None:
        """Remove every database of a project, given by its id, and end its transactions."""
        self._engine.forget(f"projects/{project}")

    def _start(self) -> None:
        server = grpc.server(self._pool, options=_OPTIONS, maximum_concurrent_rpcs=CONNECTIONS)
        server.add_generic_rpc_handlers((Wire(Service(self._engine), self._calls, self.clock),))
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
        self._engine.close()
        self.clock.close()
        if self._server is not None:
            self._server.stop(grace=0).wait(timeout=2)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._inspection.stop()
