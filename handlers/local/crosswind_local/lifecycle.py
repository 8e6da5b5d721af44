"""How a local service begins and ends, the same for each of them."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class LocalService(ABC):
    """A server that runs in this process between `start` and `stop`, or in a `with` block."""

    def __init__(self) -> None:
        self._running = False
        self._used = False

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._running

    @property
    @abstractmethod
    def env(self) -> dict[str, str]:
        """The environment variables that point the service's own SDK here."""

    def start(self) -> Self:
        """Begin to listen on 127.0.0.1.

        Raises:
            StartFailed: the port is taken.
            RuntimeError: it runs already, or was stopped: a service is started once.
        """
        if self._running:
            raise RuntimeError(f"{type(self).__name__} runs already")
        if self._used:
            raise RuntimeError(f"{type(self).__name__} was stopped; it is started once")
        self._start()
        self._running = self._used = True
        return self

    def stop(self) -> None:
        """Stop at once, end every open call, and forget everything. Harmless when stopped."""
        if self._running:
            self._running = False
            self._stop()

    @abstractmethod
    def _start(self) -> None: ...

    @abstractmethod
    def _stop(self) -> None: ...

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
