"""Clients that answer what a test says, each answer checked against the SDK's own model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from botocore.config import Config
from botocore.session import Session, get_session
from botocore.stub import ANY, Stubber

from crosswind_aws.adopt.asking import Asker, NotRead

__all__ = ["ANY", "Stubs", "until_refused"]


class Stubs:
    """What will be asked, in order, of each service."""

    def __init__(self) -> None:
        self.session: Session = get_session()
        self.session.set_credentials("123456789012", "secret")
        self.stubbers: dict[str, Stubber] = {}
        self.regions: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if error is None:
            for stubber in self.stubbers.values():
                stubber.assert_no_pending_responses()

    def answers(self, service: str, method: str, answer: Any, asked: Any = None) -> None:
        self._stubber(service).add_response(method, answer, asked)

    def refuses(self, service: str, method: str, code: str, said: str = "no") -> None:
        self._stubber(service).add_client_error(method, code, said)

    def asker(self, within: float = 60.0) -> Asker:
        return Asker(self.session, within, self._client)

    def _stubber(self, service: str) -> Stubber:
        if service not in self.stubbers:
            client = self.session.create_client(
                service, region_name="us-east-1", config=Config(retries={"total_max_attempts": 1})
            )
            self.stubbers[service] = Stubber(client)
            self.stubbers[service].activate()
        return self.stubbers[service]

    def _client(self, service: str, region: str | None) -> Any:
        self.regions[service] = region
        return self._stubber(service).client


def until_refused(things: Iterator[Any]) -> tuple[list[Any], NotRead]:
    """What came before a refusal, and the refusal.

    Raises:
        AssertionError: there was none.
    """
    found: list[Any] = []
    try:
        found.extend(things)
    except NotRead as error:
        return found, error
    raise AssertionError("nothing was refused")
