"""Blobs, queues and tables through the unmodified SDKs, sync and async."""

import asyncio
import datetime

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableServiceClient, TableTransactionError, UpdateMode
from azure.storage.blob import (
    BlobClient,
    BlobSasPermissions,
    BlobServiceClient,
    generate_blob_sas,
)
from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient
from azure.storage.queue import QueueServiceClient

from crosswind_local.azurite import Account
from local.azurite.accounts import Named
from local.elsewhere import Time


def test_a_blob_is_kept_and_guarded_by_its_etag(account: Account, named: Named) -> None:
    with BlobServiceClient.from_connection_string(account.connection_string) as service:
        container = service.create_container(named("pictures"))
        blob = container.upload_blob("first", b"one")
        before = blob.get_blob_properties().etag
        blob.upload_blob(b"two", overwrite=True)

        with pytest.raises(ResourceModifiedError):
            blob.upload_blob(
                b"three",
                overwrite=True,
                etag=before,
                match_condition=MatchConditions.IfNotModified,
            )
        with pytest.raises(ResourceExistsError):
            container.upload_blob("first", b"four")
        assert blob.download_blob().readall() == b"two"
        assert [each.name for each in container.list_blobs()] == ["first"]


def test_a_large_blob_in_blocks_comes_back_whole(account: Account, named: Named) -> None:
    content = bytes(range(256)) * 40_960
    with BlobServiceClient.from_connection_string(
        account.connection_string, max_single_put_size=1024**2, max_block_size=1024**2
    ) as service:
        container = service.create_container(named("large"))
        blob = container.upload_blob("ten-megabytes", content, max_concurrency=2)
        assert blob.download_blob(max_concurrency=2).readall() == content


def test_the_async_sdk_works_too(account: Account, named: Named) -> None:
    async def round_trip() -> bytes:
        async with AsyncBlobServiceClient.from_connection_string(
            account.connection_string
        ) as service:
            container = await service.create_container(named("pictures"))
            blob = await container.upload_blob("first", b"one")
            download = await blob.download_blob()
            return bytes(await download.readall())

    assert asyncio.run(round_trip()) == b"one"


@pytest.mark.needs("clock")
def test_a_message_that_is_not_deleted_reappears_when_its_time_is_over(
    account: Account, named: Named, clock: Time
) -> None:
    with QueueServiceClient.from_connection_string(account.connection_string) as service:
        queue = service.create_queue(named("orders"))
        queue.send_message("one", time_to_live=3600)
        (first,) = queue.receive_messages(visibility_timeout=60)
        assert list(queue.receive_messages()) == []

        clock.advance(61)
        (again,) = queue.receive_messages(visibility_timeout=60)
        assert (again.content, again.dequeue_count) == ("one", 2)
        with pytest.raises(HttpResponseError, match=r"PopReceiptMismatch|pop receipt"):
            queue.delete_message(first)

        clock.advance(3600)
        assert list(queue.receive_messages()) == []


def test_a_lease_ends_with_time(account: Account, named: Named, clock: Time) -> None:
    with BlobServiceClient.from_connection_string(account.connection_string) as service:
        blob = service.create_container(named("locks")).upload_blob("lock", b"")
        blob.acquire_lease(lease_duration=15)
        with pytest.raises(ResourceExistsError):
            blob.acquire_lease(lease_duration=15)
        clock.advance(16)
        blob.acquire_lease(lease_duration=15)


@pytest.mark.needs("clock")
def test_a_signature_is_good_until_it_expires(account: Account, named: Named, clock: Time) -> None:
    with BlobServiceClient.from_connection_string(account.connection_string) as service:
        shared = service.create_container(named("shared"))
        blob = shared.upload_blob("one", b"1")
        now = blob.get_blob_properties().last_modified
        token = generate_blob_sas(
            account.name,
            shared.container_name,
            "one",
            account_key=account.key,
            permission=BlobSasPermissions(read=True),
            expiry=now + datetime.timedelta(minutes=5),
        )
        with BlobClient.from_blob_url(f"{blob.url}?{token}") as signed:
            assert signed.download_blob().readall() == b"1"
            clock.advance(301)
            with pytest.raises(HttpResponseError) as refused:
                signed.download_blob()
            assert refused.value.status_code == 403


def test_an_entity_is_inserted_once_and_guarded_by_its_etag(account: Account, named: Named) -> None:
    with TableServiceClient.from_connection_string(account.connection_string) as service:
        table = service.create_table(named("chains"))
        entity = {"PartitionKey": "p", "RowKey": "r", "value": 1}
        table.create_entity(entity)
        with pytest.raises(ResourceExistsError):
            table.create_entity(entity)
        etag = table.get_entity("p", "r").metadata["etag"]
        changed = entity | {"value": 2}
        table.update_entity(changed, mode=UpdateMode.REPLACE)
        with pytest.raises(ResourceModifiedError):
            table.update_entity(
                changed,
                mode=UpdateMode.REPLACE,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
            )
        found = table.query_entities("PartitionKey eq 'p' and value gt 1")
        assert [each["value"] for each in found] == [2]


def test_a_batch_of_entities_is_written_whole_or_not_at_all(account: Account, named: Named) -> None:
    with TableServiceClient.from_connection_string(account.connection_string) as service:
        table = service.create_table(named("chains"))
        row = {"PartitionKey": "p"}
        table.submit_transaction([("create", row | {"RowKey": str(n)}) for n in range(3)])
        with pytest.raises(TableTransactionError):
            table.submit_transaction(
                [("create", row | {"RowKey": "new"}), ("create", row | {"RowKey": "0"})]
            )
        with pytest.raises(ResourceNotFoundError):
            table.get_entity("p", "new")
        assert len(list(table.list_entities())) == 3


@pytest.mark.needs("paths")
def test_a_wrong_key_is_refused(account: Account, named: Named) -> None:
    wrong = account.connection_string.replace("Eby8", "AAAA")
    with (
        BlobServiceClient.from_connection_string(wrong) as service,
        pytest.raises(HttpResponseError, match="AuthorizationFailure"),
    ):
        service.create_container(named("pictures"))
