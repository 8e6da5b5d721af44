"""The Firestore emulator as one thing: start it, point the SDK at it, stop it."""

from collections.abc import Mapping

from crosswind_local.clock import Clock
from crosswind_local.firestore.engine import LOCK_SECONDS, Engine
from crosswind_local.firestore.memory import DocumentMemory
from crosswind_local.firestore.service import Service
from crosswind_local.firestore.wire import Wire
from crosswind_local.grpc_service import GrpcService
from crosswind_local.memory import DEFAULT_LIMIT

CONNECTIONS = 1_000
"""How many calls may be open at once, waiting commits included."""


class FirestoreEmulator(GrpcService):
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
        super().__init__(
            "firestore", port=port, clock=clock, threads=CONNECTIONS, refuse_beyond=CONNECTIONS
        )
        self._engine = Engine(
            self.clock,
            DocumentMemory(memory_limit),
            ttl=ttl,
            ttl_delay=ttl_delay,
            lock_wait=lock_wait,
        )

    @property
    def env(self) -> dict[str, str]:
        """What points every Google Firestore SDK here."""
        return {"FIRESTORE_EMULATOR_HOST": self.address}

    def _held(self) -> dict[str, object]:
        """Documents by database and collection, transactions, memory."""
        return self._engine.report()

    def forget(self, project: str) -> None:
        """Remove every database of a project, given by its id, and end its transactions."""
        self._engine.forget(f"projects/{project}")

    def _wire(self) -> Wire:
        return Wire(Service(self._engine), self._calls, self.clock)

    def _close(self) -> None:
        self._engine.close()
        self.clock.close()
