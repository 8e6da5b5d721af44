"""A request is made within its time, and again only where nothing was done."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from crosswind.actions import Pending
from crosswind_aws import clients
from crosswind_aws.performers.asking import Deadline, Service, digest, patiently
from crosswind_aws.performers.failures import Refused, Throttled, Unreachable
from unit.aws.performers.test_failures import error


class Client:
    """A client whose answers are given."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    def look(self, **arguments: Any) -> Any:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def service(monkeypatch: pytest.MonkeyPatch, client: Client) -> Service:
    monkeypatch.setattr(clients, "control", lambda *where: client)
    return Service("example", "us-east-1", sleep=lambda seconds: None)


BUSY = error("ThrottlingException")
LOST = ReadTimeoutError(endpoint_url="https://x.example.com")


def test_a_throttled_request_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(BUSY, BUSY, {"said": "yes"})

    assert service(monkeypatch, client)("look", Deadline(60)) == {"said": "yes"}


def test_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(*[BUSY] * 9)

    with pytest.raises(Throttled):
        service(monkeypatch, client)("look", Deadline(60))

    assert client.asked == 4


def test_nor_where_it_could_not_be_answered_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(BUSY)

    with pytest.raises(Throttled):
        service(monkeypatch, client)("look", Deadline(8.0))
    with pytest.raises(Throttled):
        service(monkeypatch, client).read("look", Deadline(0.1))

    assert client.asked == 0


def test_a_change_whose_answer_is_lost_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(LOST, {})

    with pytest.raises(Unreachable):
        service(monkeypatch, client)("look", Deadline(60))

    assert client.asked == 1


def test_a_reading_whose_answer_is_lost_is_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(LOST, LOST)

    with pytest.raises(Unreachable):
        service(monkeypatch, client).read("look", Deadline(60))

    assert client.asked == 2


def test_an_error_of_our_own_is_not_taken_for_one_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        service(monkeypatch, Client(ZeroDivisionError()))("look", Deadline(60))


def test_throttled_an_action_is_pending_and_anything_else_is_raised() -> None:
    def throttled() -> int:
        raise Throttled("example look", "Throttling")

    def wrong() -> int:
        raise Refused("example look", "ValidationException")

    assert isinstance(patiently(throttled), Pending)
    assert patiently(lambda: 7) == 7
    with pytest.raises(Refused):
        patiently(wrong)


def test_a_key_is_left_behind_short_and_always_the_same() -> None:
    assert digest("a key") == digest("a key")
    assert digest("a key") != digest("another")
    assert len(digest("a key" * 100)) == 32


def test_the_sdk_is_not_imported_before_the_first_request() -> None:
    code = (
        "import sys, crosswind_aws.performers as p\n"
        "from crosswind.fleet.declaration import Fleet\n"
        "fleet = Fleet.model_validate({'name': 'main', 'regions': "
        "{'aws/us-east-1': {'jurisdiction': 'US'}}})\n"
        "assert p.performers(p.Resources(), fleet)\n"
        "print(*[name for name in sys.modules if name.startswith('boto')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.strip() == ""
