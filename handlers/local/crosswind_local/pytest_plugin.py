"""Fixtures for tests against local services.

One emulator serves the whole session; each test has a project or account of its own, so tests
share no topic, queue or table although their names are the same. An emulator that cannot be
started is an error of the test that needs it, never a reason to skip it.

    def test_it(pubsub_project: str) -> None:
        publisher = pubsub_v1.PublisherClient()
        publisher.create_topic(name=publisher.topic_path(pubsub_project, "orders"))

    def test_that(aws_account: str) -> None:
        boto3.client("sqs").create_queue(QueueName="orders")

    def test_another(servicebus_space: Space) -> None:
        client = ServiceBusClient.from_connection_string(servicebus_space.connection_string)
        sender = client.get_queue_sender(servicebus_space.queue("orders"))

    def test_a_function(functions_app: FunctionsApp, servicebus_space: Space) -> None:
        app = functions_app("build", env={"ServiceBus": servicebus_space.connection_string})
        urllib.request.urlopen(f"{app.url}/api/hello")
"""

import itertools
import re
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from crosswind_local.aws_sites import AwsSite
    from crosswind_local.azurite import Account, AzuriteEmulator
    from crosswind_local.firestore import FirestoreEmulator
    from crosswind_local.functions_host import FunctionsHost
    from crosswind_local.moto import Moto
    from crosswind_local.pubsub import PubSubEmulator
    from crosswind_local.servicebus import ServiceBusEmulator, Space
    from crosswind_local.tasks import TasksEmulator

FunctionsApp = Callable[..., "FunctionsHost"]
"""Starts a host, told what `FunctionsHost` is told, that is stopped when the test ends."""

_NUMBERS = itertools.count(1)
_STORAGE = itertools.count(1)

_ACCOUNTS = 111122220000
"""Accounts of tests are numbered from here; no document and no customer uses them."""


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


@pytest.fixture(scope="session")
def local_firestore() -> "Iterator[FirestoreEmulator]":
    """Firestore for the whole session, on a free port."""
    from crosswind_local.firestore import FirestoreEmulator

    with FirestoreEmulator() as firestore:
        yield firestore


@pytest.fixture
def firestore_project(
    local_firestore: "FirestoreEmulator",
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The id of a project that is this test's own; the environment points SDKs to it."""
    project = project_id(request.node.name, next(_NUMBERS))
    for name, value in local_firestore.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    yield project
    local_firestore.forget(project)


@pytest.fixture(scope="session")
def local_tasks() -> "Iterator[TasksEmulator]":
    """Cloud Tasks for the whole session, on a free port."""
    from crosswind_local.tasks import TasksEmulator

    with TasksEmulator() as tasks:
        yield tasks


@pytest.fixture
def tasks_location(
    local_tasks: "TasksEmulator",
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The parent of queues that are this test's own; the environment names the service."""
    project = project_id(request.node.name, next(_NUMBERS))
    for name, value in local_tasks.env.items():
        monkeypatch.setenv(name, value)
    yield f"projects/{project}/locations/us-central1"
    local_tasks.forget(project)


@pytest.fixture(scope="session")
def local_azurite() -> "Iterator[AzuriteEmulator]":
    """Azure Storage for the whole session, on free ports."""
    from crosswind_local.azurite import AzuriteEmulator

    with AzuriteEmulator() as azurite:
        yield azurite


@pytest.fixture
def azurite_account(local_azurite: "AzuriteEmulator", monkeypatch: pytest.MonkeyPatch) -> "Account":
    """A storage account that is this test's own; the environment points SDKs to it."""
    account = local_azurite.account(next(_STORAGE))
    for name, value in account.env.items():
        monkeypatch.setenv(name, value)
    return account


def project_id(test: str, number: int) -> str:
    """A valid project id (6 to 30 of a-z, 0-9 and "-") that tells the test's name."""
    name = re.sub(r"[^a-z0-9]+", "-", test.lower()).strip("-")[:20].strip("-")
    return f"t-{number}-{name}" if name else f"t-{number}-test"


@pytest.fixture(scope="session")
def local_aws() -> "Iterator[AwsSite]":
    """AWS for the whole session: ministack, or what `CROSSWIND_TEST_AWS` names."""
    from crosswind_local.aws_sites import AwsSite, elsewhere

    site = elsewhere()
    if site is not None:
        yield site
        return
    from crosswind_local.ministack import Ministack

    with Ministack() as ministack:
        yield AwsSite(ministack)


@pytest.fixture
def aws_account(local_aws: "AwsSite", monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of an account that is this test's own; the environment points SDKs to it.

    Where `CROSSWIND_TEST_AWS` names a real account it is that one, whatever else is in it.
    """
    account = _account(local_aws)
    _point(local_aws.env(account), monkeypatch)
    return account


@pytest.fixture(scope="module")
def aws_module_account(local_aws: "AwsSite") -> Iterator[str]:
    """The id of an account that the tests of a module share; the environment points SDKs to it."""
    account = _account(local_aws)
    with pytest.MonkeyPatch.context() as monkeypatch:
        _point(local_aws.env(account), monkeypatch)
        yield account


@pytest.fixture(scope="session")
def local_moto() -> "Iterator[Moto]":
    """What moto has of AWS, for the whole session."""
    from crosswind_local.moto import Moto

    with Moto() as moto:
        yield moto


@pytest.fixture
def moto_account(local_moto: "Moto", monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of moto's one account, empty; the environment points SDKs to it."""
    from crosswind_local.accounts import ACCOUNT

    local_moto.reset()
    _point(local_moto.env, monkeypatch)
    return ACCOUNT


@pytest.fixture(scope="session")
def local_servicebus() -> "Iterator[ServiceBusEmulator]":
    """Service Bus for the whole session, on a free port."""
    from crosswind_local.servicebus import ServiceBusEmulator

    with ServiceBusEmulator() as servicebus:
        yield servicebus


@pytest.fixture
def servicebus_space(
    local_servicebus: "ServiceBusEmulator",
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> "Iterator[Space]":
    """Queues and topics that are this test's own; the environment has the connection string."""
    from crosswind_local.servicebus import Space

    for name, value in local_servicebus.env.items():
        monkeypatch.setenv(name, value)
    with Space(local_servicebus, project_id(request.node.name, next(_NUMBERS))) as space:
        yield space


@pytest.fixture
def functions_app(request: pytest.FixtureRequest) -> FunctionsApp:
    """Starts Azure function apps that are this test's own."""
    from crosswind_local.functions_host import FunctionsHost

    def start(*args: Any, **options: Any) -> FunctionsHost:
        host = FunctionsHost(*args, **options).start()
        # Not with this fixture: it ends before what was there when it began, such as a queue.
        request.node.addfinalizer(host.stop)
        return host

    return start


def _account(site: "AwsSite") -> str:
    if not site.is_real:
        return str(_ACCOUNTS + next(_NUMBERS))
    import boto3

    return str(boto3.client("sts").get_caller_identity()["Account"])


def _point(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    if env:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN"):
            monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    if "boto3" in sys.modules:
        # Its default session keeps the credentials that it found first, those of another test.
        monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
