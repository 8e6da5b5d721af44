"""What of `host.json` and of app settings the Functions host follows, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from crosswind_local import StartFailed
from crosswind_local.functions_host import SettingMissing
from crosswind_local.functions_host import settings as app_settings
from crosswind_local.functions_host.configuration import HostConfiguration, load, seconds_of
from crosswind_local.functions_host.settings import Settings


def read(tmp_path: Path, content: Any) -> HostConfiguration:
    path = tmp_path / "host.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return load(path)


def test_the_defaults_are_those_of_the_documentation(tmp_path: Path) -> None:
    host = read(tmp_path, {"version": "2.0"})

    assert (host.function_timeout, host.route_prefix) == (1800, "api")
    bus = host.service_bus
    assert (bus.prefetch_count, bus.max_concurrent_calls, bus.max_concurrent_sessions) == (0, 16, 8)
    assert (bus.max_message_batch_size, bus.max_auto_lock_renewal) == (1000, 300)


def test_what_the_documentation_shows_is_followed(tmp_path: Path) -> None:
    host = read(
        tmp_path,
        {
            "version": "2.0",
            "functionTimeout": "00:05:00",
            "logging": {"logLevel": {"default": "Information"}},
            "extensionBundle": {
                "id": "Microsoft.Azure.Functions.ExtensionBundle",
                "version": "[4.*, 5.0.0)",
            },
            "extensions": {
                "http": {"routePrefix": ""},
                "serviceBus": {
                    "clientRetryOptions": {"mode": "exponential"},
                    "prefetchCount": 100,
                    "transportType": "amqpWebSockets",
                    "autoCompleteMessages": True,
                    "maxAutoLockRenewalDuration": "00:10:00",
                    "maxConcurrentCalls": 32,
                    "maxConcurrentSessions": 10,
                    "maxMessageBatchSize": 2000,
                    "minMessageBatchSize": 1,
                    "maxBatchWaitTime": "00:00:30",
                    "sessionIdleTimeout": "00:02:00",
                    "enableCrossEntityTransactions": False,
                },
            },
        },
    )

    assert (host.function_timeout, host.route_prefix) == (300, "")
    assert host.service_bus.prefetch_count == 100
    assert host.service_bus.max_auto_lock_renewal == 600
    assert host.service_bus.session_idle_timeout == 120


def test_without_a_limit_a_call_may_last(tmp_path: Path) -> None:
    assert read(tmp_path, {"version": "2.0", "functionTimeout": "-1"}).function_timeout is None


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(StartFailed) as refused:
        read(
            tmp_path,
            {
                "version": "1.0",
                "functionTimeout": "soon",
                "extensions": {
                    "queues": {},
                    "http": {"routePrefix": 7},
                    "serviceBus": {
                        "autoCompleteMessages": False,
                        "maxConcurrentCalls": 0,
                        "minMessageBatchSize": 5,
                        "messageHandlerOptions": {},
                    },
                },
            },
        )

    for fault in (
        'version must be "2.0"',
        "'soon' is not a time span",
        "extensions.queues is not known",
        "routePrefix must be a text",
        "autoCompleteMessages must be true",
        "maxConcurrentCalls must be a number of at least 1",
        "minMessageBatchSize must be 1",
        "messageHandlerOptions is not known",
    ):
        assert fault in str(refused.value)


@pytest.mark.parametrize("content", ["", "[]", "null", '{"version": '])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(StartFailed, match=r"host\.json"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:30", 30), ("1.00:00:01", 86401), ("00:05", 300), ("00:00:00.5", 0.5)],
)
def test_a_time_span_is_read_as_dotnet_does(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


def test_local_settings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "local.settings.json"
    path.write_text('{"IsEncrypted": false, "Values": {"A": "1"}, "Host": {"CORS": "*"}}')

    assert app_settings.load(path) == {"A": "1"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('{"IsEncrypted": true, "Values": {}}', "func settings decrypt"),
        ('{"Values": {"A": 1}}', "not texts: A"),
        ("[]", "must be an object"),
        ("{", "cannot be read"),
    ],
)
def test_local_settings_that_cannot_be_used_say_why(
    tmp_path: Path, content: str, fault: str
) -> None:
    path = tmp_path / "local.settings.json"
    path.write_text(content)

    with pytest.raises(StartFailed, match=fault):
        app_settings.load(path)


def test_a_setting_is_filled_in_wherever_it_is_named() -> None:
    settings = Settings({"QUEUE": "orders", "STAGE": "test"})

    assert settings.fill_in("%STAGE%-%QUEUE%") == "test-orders"
    assert settings.fill_in("100% sure, 100%") == "100% sure, 100%"


def test_a_setting_that_there_is_not_is_named() -> None:
    with pytest.raises(SettingMissing, match="set QUEUE"):
        Settings({}).fill_in("%QUEUE%")


def test_a_connection_is_found_under_both_names() -> None:
    assert Settings({"Bus": "a"}).service_bus("Bus") == "a"
    assert Settings({"AzureWebJobsBus": "b"}).service_bus("Bus") == "b"
    assert Settings({"AzureWebJobsServiceBus": "c"}).service_bus("") == "c"


def test_a_connection_by_identity_is_refused() -> None:
    with pytest.raises(SettingMissing, match="by identity"):
        Settings({"Bus__fullyQualifiedNamespace": "x.example.com"}).service_bus("Bus")
