"""Fixtures for tests against local services.

One emulator serves the whole session; each test has a project of its own, so tests share no
topic and no subscription although their names are the same, and what a test made is gone after it.

    def test_it(pubsub_project: str) -> None:
        publisher = pubsub_v1.PublisherClient()
        publisher.create_topic(name=publisher.topic_path(pubsub_project, "orders"))
"""

import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from crosswind_local.pubsub import PubSubEmulator

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def local_pubsub() -> "Iterator[PubSubEmulator]":
    """Pub/Sub for the whole session, on a free port."""
    # Imported by the first test that asks, so that a session without one does not pay for it.
    from crosswind_local.pubsub import PubSubEmulator

    with PubSubEmulator() as pubsub:
        yield pubsub


@pytest.fixture
def pubsub_project(
    local_pubsub: "PubSubEmulator",
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The id of a project that is this test's own; the environment points SDKs to it."""
    project = project_id(request.node.name, next(_NUMBERS))
    for name, value in local_pubsub.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    yield project
    local_pubsub.forget(project)


def project_id(test: str, number: int) -> str:
    """A valid project id (6 to 30 of a-z, 0-9 and "-") that tells the test's name."""
    name = re.sub(r"[^a-z0-9]+", "-", test.lower()).strip("-")[:20].strip("-")
    return f"t-{number}-{name}" if name else f"t-{number}-test"
