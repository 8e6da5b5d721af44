"""Functions that Event Grid calls: requests of the shapes that its documentation shows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crosswind_local.functions_host import FunctionsHost
from integration.local.functions.conftest import HEAD
from integration.local.functions.desk import Answer, call, eventually

SOURCE = (
    HEAD
    + """
import json

@app.event_grid_trigger(arg_name="event")
def on_grid(event: func.EventGridEvent):
    if event.subject == "fail":
        raise ValueError(f"cannot take {event.id}")
    logging.info("grid %s", json.dumps([event.id, event.event_type, event.topic, event.get_json()]))


@app.event_grid_trigger(arg_name="event")
def on_cloud(event: func.CloudEvent):
    logging.info("cloud %s", json.dumps([event.id, event.type, event.source, event.get_json()]))
"""
)

# Source: learn.microsoft.com/azure/event-grid/event-schema-key-vault
NEAR_EXPIRY: dict[str, Any] = {
    "id": "00eccf70-95a7-4e7c-8299-2eb17ee9ad64",
    "topic": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sample-rg"
    "/providers/Microsoft.KeyVault/vaults/sample-kv",
    "subject": "newsecret",
    "eventType": "Microsoft.KeyVault.SecretNearExpiry",
    "eventTime": "2019-07-25T01:08:33.1036736Z",
    "data": {"VaultName": "sample-kv", "ObjectName": "newsecret", "EXP": "1559082102"},
    "dataVersion": "1",
    "metadataVersion": "1",
}
CLOUD_EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "9aeb0fdf-c01e-0131-0922-9eb54906e209",
    "source": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sample-rg",
    "type": "Microsoft.Storage.BlobCreated",
    "subject": "blobServices/default/containers/c/blobs/b",
    "time": "2019-11-18T15:13:39.4589254Z",
    "data": {"api": "PutBlockList"},
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionsHost]:
    folder: Path = tmp_path_factory.mktemp("grid")
    (folder / "function_app.py").write_text(SOURCE)
    (folder / "host.json").write_text('{"version": "2.0"}')
    with FunctionsHost(folder) as host:
        yield host


def post(host: FunctionsHost, function: str, body: Any, kind: str = "Notification") -> Answer:
    path = host.webhook(function).removeprefix(host.url)
    return call(host, path, "POST", body, {"aeg-event-type": kind})


def test_the_endpoint_proves_itself_when_it_is_subscribed(host: FunctionsHost) -> None:
    # Source: learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
    validation = {
        "id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66",
        "topic": "/subscriptions/00000000-0000-0000-0000-000000000000",
        "subject": "",
        "data": {
            "validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6",
            "validationUrl": "https://rp-eastus2.eventgrid.azure.net:553/eventsubscriptions/x",
        },
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "2022-10-25T22:12:19.4556811Z",
        "metadataVersion": "1",
        "dataVersion": "1",
    }

    answer = post(host, "on_grid", [validation], "SubscriptionValidation")

    assert answer.status == 200
    assert answer.json() == {"validationResponse": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}


def test_who_sends_cloud_events_is_allowed_to(host: FunctionsHost) -> None:
    path = host.webhook("on_cloud").removeprefix(host.url)
    asked = {"WebHook-Request-Origin": "eventgrid.azure.net"}

    answer = call(host, path, "OPTIONS", headers=asked)

    assert answer.status == 200
    assert answer.header("webhook-allowed-origin") == ["eventgrid.azure.net"]


def test_an_event_of_the_event_grid_schema_arrives(host: FunctionsHost) -> None:
    assert post(host, "on_grid", [NEAR_EXPIRY]).status == 202

    assert 'grid ["00eccf70-95a7-4e7c-8299-2eb17ee9ad64"' in host.log()
    assert '"Microsoft.KeyVault.SecretNearExpiry"' in host.log()
    assert '"ObjectName": "newsecret"' in host.log()


def test_a_cloud_event_arrives_alone_or_in_an_array(host: FunctionsHost) -> None:
    assert post(host, "on_cloud", CLOUD_EVENT).status == 202
    assert post(host, "on_cloud", [CLOUD_EVENT | {"id": "second"}]).status == 202

    assert 'cloud ["9aeb0fdf-c01e-0131-0922-9eb54906e209"' in host.log()
    assert 'cloud ["second", "Microsoft.Storage.BlobCreated"' in host.log()


def test_each_event_of_a_batch_is_a_call(host: FunctionsHost) -> None:
    batch = [NEAR_EXPIRY | {"id": f"batch-{number}"} for number in range(5)]

    assert post(host, "on_grid", batch).status == 202

    assert all(f'grid ["batch-{number}"' in host.log() for number in range(5))


def test_one_event_that_fails_fails_the_batch_so_that_it_is_sent_again(host: FunctionsHost) -> None:
    batch = [NEAR_EXPIRY | {"id": "good"}, NEAR_EXPIRY | {"id": "bad", "subject": "fail"}]

    answer = post(host, "on_grid", batch)

    assert answer.status == 500
    assert answer.body == b"ValueError: cannot take bad"
    assert 'grid ["good"' in host.log()


@pytest.mark.parametrize(
    ("function", "kind", "status"),
    [("none", "Notification", 404), ("on_grid", "Unsubscribe", 202), ("on_grid", "", 400)],
)
def test_what_is_no_notification_is_answered(
    host: FunctionsHost, function: str, kind: str, status: int
) -> None:
    assert post(host, function, [], kind).status == status


def test_without_the_key_nothing_is_taken(host: FunctionsHost) -> None:
    path = "/runtime/webhooks/EventGrid?functionName=on_grid"

    answer = call(host, path, "POST", [NEAR_EXPIRY], {"aeg-event-type": "Notification"})

    assert answer.status == 401


def test_an_event_can_be_given_by_hand(host: FunctionsHost) -> None:
    import json

    body = {"input": json.dumps(NEAR_EXPIRY | {"id": "by hand"})}

    path = f"/admin/functions/on_grid?code={host.key}"
    assert call(host, path, "POST", body).status == 202

    eventually(lambda: 'grid ["by hand"' in host.log())
    assert call(host, path, "POST", {"input": "no event"}).status == 400
