"""A service that speaks gRPC in this process: its port, its server, its inspection, its end."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import grpc

from crosswind_local.calls import CallRecord
from crosswind_local.clock import Clock, SystemClock
from crosswind_local.errors import StartFailed
from crosswind_local.inspection import Inspection
from crosswind_local.lifecycle import LocalService

SILENCE_SECONDS = 60
"""A client that has said nothing for so long is asked whether it is there."""
ANSWER_SECONDS = 20
"""One that does not answer for so long is taken for gone, with its calls."""

_OPTIONS = [
    # Larger than a request may be, so that one too large gets the service's own answer.
    ("grpc.max_receive_message_length", 20 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
    # Two servers on one port would each see half of the calls.
    ("grpc.so_reuseport", 0),
]


class GrpcService(LocalService):
    """What services over gRPC share; each adds what it holds, its wire, and how that ends."""

    def __init__(
        self,
        name: str,
        *,
        port: int,
        clock: Clock | None,
        threads: int,
        refuse_beyond: int | None = None,
        shown: Mapping[str, Callable[[], object]] | None = None,
    ) -> None:
        """Listen on `port` once started, or on a free one where it is 0.

        Args:
            name: of its threads, for who looks at them.
            clock: real time unless a test brings its own.
            threads: how many calls are worked on at once.
            refuse_beyond: open calls beyond which one more is refused; they wait unless given.
            shown: further paths of the inspection endpoint.
        """
        super().__init__()
        self._asked_port = port
        self._port = 0
        self._refuse_beyond = refuse_beyond
        self.clock: Clock = SystemClock() if clock is None else clock
        self._calls = CallRecord()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"local-{name}")
        self._server: grpc.Server | None = None
        self._inspection = Inspection(
            {"/": self.report, "/calls": self._calls.last, **(shown or {})}
        )

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"127.0.0.1:{self._port}"

    @property
    def inspection_url(self) -> str:
        """Where what it holds can be read as JSON."""
        return self._inspection.url

    def report(self) -> dict[str, object]:
        """What it holds, and its calls."""
        return {**self._held(), "calls": self._calls.counts()}

    @abstractmethod
    def _held(self) -> dict[str, object]:
        """What it holds, for the report."""

    @abstractmethod
    def _wire(self) -> grpc.GenericRpcHandler:
        """What answers its methods."""

    @abstractmethod
    def _close(self) -> None:
        """End what waits in it, so that its calls return."""

    def _start(self) -> None:
        keep_alive = [
            ("grpc.keepalive_time_ms", SILENCE_SECONDS * 1000),
            ("grpc.keepalive_timeout_ms", ANSWER_SECONDS * 1000),
            # While another ping is under way, which measures the bandwidth, none of these is sent.
            ("grpc.http2.ping_timeout_ms", ANSWER_SECONDS * 1000),
        ]
        server = grpc.server(
            self._pool,
            options=_OPTIONS + keep_alive,
            maximum_concurrent_rpcs=self._refuse_beyond,
        )
        server.add_generic_rpc_handlers((self._wire(),))
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
        self._close()
        if self._server is not None:
            self._server.stop(grace=0).wait(timeout=2)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._inspection.stop()
