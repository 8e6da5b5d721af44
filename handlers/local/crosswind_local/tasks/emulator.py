"""The Cloud Tasks emulator as one thing: start it, point the SDK at it, stop it."""

from concurrent.futures import ThreadPoolExecutor

import grpc

from crosswind_local.calls import CallRecord
from crosswind_local.clock import Clock, SystemClock
from crosswind_local.errors import StartFailed
from crosswind_local.inspection import Inspection
from crosswind_local.lifecycle import LocalService
from crosswind_local.memory import DEFAULT_LIMIT, Memory
from crosswind_local.tasks.carrier import Carrier
from crosswind_local.tasks.depot import Depot
from crosswind_local.tasks.identities import Identities
from crosswind_local.tasks.wire import Wire

VARIABLE = "CLOUD_TASKS_EMULATOR_HOST"
"""The environment variable that tells where it listens. No Google SDK for Cloud Tasks reads it."""

HOW_TO_CONNECT = f"""\
The SDK has no variable for an emulator; give it a channel without TLS:
  channel = grpc.insecure_channel(os.environ["{VARIABLE}"])
  client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))"""
"""What a person must know to use it from Python."""

CALLS = 100
"""How many calls are worked on at once."""

_OPTIONS = [
    # Two servers on one port would each see half of the calls.
    ("grpc.so_reuseport", 0),
    # Larger than a batch of tasks may be, so that one too large gets the service's own answer.
    ("grpc.max_receive_message_length", 20 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
]


class TasksEmulator(LocalService):
    """Google Cloud Tasks on 127.0.0.1, in this process.

        with TasksEmulator() as tasks:
            channel = grpc.insecure_channel(tasks.address)
            client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))

    Every project and location exists. All is kept in memory and gone once it stops.
    """

    def __init__(
        self, *, port: int = 0, clock: Clock | None = None, memory_limit: int = DEFAULT_LIMIT
    ) -> None:
        """Listen on `port`, or on a free one.

        `clock` is real time unless a test brings its own. `memory_limit` is in bytes of tasks
        held, over all queues; creating tasks beyond it is refused with RESOURCE_EXHAUSTED.
        """
        super().__init__()
        self._asked_port = port
        self._port = 0
        self.clock: Clock = SystemClock() if clock is None else clock
        self._calls = CallRecord()
        self._identities = Identities(self.clock)
        self._carrier = Carrier(self.clock)
        self._depot = Depot(self.clock, Memory(memory_limit), self._carrier, self._identities)
        self._pool = ThreadPoolExecutor(CALLS, thread_name_prefix="local-tasks")
        self._server: grpc.Server | None = None
        self._inspection = Inspection(
            {
                "/": self.report,
                "/calls": self._calls.last,
                "/certs": self._identities.certificates,
            }
        )

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"127.0.0.1:{self._port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment variable that tells where it listens; see HOW_TO_CONNECT."""
        return {VARIABLE: self.address}

    @property
    def inspection_url(self) -> str:
        """Where what it holds can be read as JSON."""
        return self._inspection.url

    @property
    def certificates_url(self) -> str:
        """Where the key that verifies its ID tokens can be read, as Google publishes its own."""
        return f"{self._inspection.url}certs"

    def report(self) -> dict[str, object]:
        """What it holds: queues with their counts, requests under way, memory, calls."""
        return {**self._depot.report(), "calls": self._calls.counts()}

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until no request to a worker is under way; False if some still are in the end.

        For a test that moves time on: what was due has been sent by then, and answered, and what
        failed is scheduled anew. `timeout` is in seconds of real time.
        """
        return self._depot.settle(timeout)

    def forget(self, project: str) -> None:
        """Remove every queue of a project, given by its id; their names are free again."""
        self._depot.forget(f"projects/{project}")

    def _start(self) -> None:
        server = grpc.server(self._pool, options=_OPTIONS)
        server.add_generic_rpc_handlers((Wire(self._depot, self._calls),))
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
        self._depot.close()
        self.clock.close()
        self._carrier.stop()
        if self._server is not None:
            self._server.stop(grace=0).wait(timeout=2)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._inspection.stop()
