"""The Cloud Tasks emulator as one thing: start it, point the SDK at it, stop it."""

from crosswind_local.clock import Clock
from crosswind_local.memory import DEFAULT_LIMIT, Memory
from crosswind_local.tasks.carrier import Carrier
from crosswind_local.tasks.depot import Depot
from crosswind_local.tasks.wire import Wire
from crosswind_local.token_issuer import TokenIssuer

VARIABLE = "CLOUD_TASKS_EMULATOR_HOST"
"""The environment variable that tells where it listens. No Google SDK for Cloud Tasks reads it."""

HOW_TO_CONNECT = f"""\
The SDK has no variable for an emulator; give it a channel without TLS:
  channel = grpc.insecure_channel(os.environ["{VARIABLE}"])
  client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))"""
"""What a person must know to use it from Python."""

CALLS = 100
"""How many calls are worked on at once."""


class TasksEmulator(TokenIssuer):
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
        super().__init__("tasks", port=port, clock=clock, threads=CALLS)
        self._carrier = Carrier(self.clock)
        self._depot = Depot(self.clock, Memory(memory_limit), self._carrier, self._identities)

    @property
    def env(self) -> dict[str, str]:
        """The environment variable that tells where it listens; see HOW_TO_CONNECT."""
        return {VARIABLE: self.address}

    def _held(self) -> dict[str, object]:
        """Queues with their counts, requests under way, memory."""
        return self._depot.report()

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until no request to a worker is under way; False if some still are in the end.

        For a test that moves time on: what was due has been sent by then, and answered, and what
        failed is scheduled anew. `timeout` is in seconds of real time.
        """
        return self._depot.settle(timeout)

    def forget(self, project: str) -> None:
        """Remove every queue of a project, given by its id; their names are free again."""
        self._depot.forget(f"projects/{project}")

    def _wire(self) -> Wire:
        return Wire(self._depot, self._calls)

    def _close(self) -> None:
        self._depot.close()
        self.clock.close()
        self._carrier.stop()
