"""Storage accounts that are not ours alone: how they are named, and what is left in them."""

import uuid

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from crosswind_local.azurite import Account


class Named:
    """Makes names that nobody else has, out of letters and digits as all three services want."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex[:12]

    def __call__(self, name: str) -> str:
        return f"{name}{self.mark}"


def account_of(connection_string: str) -> Account:
    """The account that a connection string names."""
    parts = dict(part.split("=", 1) for part in connection_string.strip(";").split(";"))
    name = parts["AccountName"]
    protocol = parts.get("DefaultEndpointsProtocol", "https")
    suffix = parts.get("EndpointSuffix", "core.windows.net")
    blob, queue, table = (
        parts.get(f"{kind.capitalize()}Endpoint", f"{protocol}://{name}.{kind}.{suffix}")
        for kind in ("blob", "queue", "table")
    )
    return Account(name, parts["AccountKey"], blob, queue, table)


def emptied(account: Account, mark: str) -> None:
    """Remove everything whose name has that mark."""
    text = account.connection_string
    with BlobServiceClient.from_connection_string(text) as blobs:
        for container in blobs.list_containers():
            if mark in container.name:
                blobs.delete_container(container.name)
    with QueueServiceClient.from_connection_string(text) as queues:
        for queue in queues.list_queues():
            if mark in queue.name:
                queues.delete_queue(queue.name)
    with TableServiceClient.from_connection_string(text) as tables:
        for table in tables.list_tables():
            if mark in table.name:
                tables.delete_table(table.name)
