"""The storage accounts of Azurite, and the connection strings that name them.

"Connect to Azurite with SDKs and tools",
https://learn.microsoft.com/azure/storage/common/storage-connect-azurite, for the well-known
account; its key is published there, is the same everywhere, and opens nothing but emulators.
"""

from dataclasses import dataclass

WELL_KNOWN = "devstoreaccount1"
WELL_KNOWN_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

OTHERS = 1_000
"""How many more accounts there are. Each begins empty, so that tests need not share one."""


@dataclass(frozen=True, slots=True)
class Account:
    """A storage account of a running Azurite."""

    name: str
    key: str
    blob_url: str
    queue_url: str
    table_url: str

    @property
    def connection_string(self) -> str:
        """What every Azure Storage SDK takes."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.name};AccountKey={self.key};"
            f"BlobEndpoint={self.blob_url};QueueEndpoint={self.queue_url};"
            f"TableEndpoint={self.table_url};"
        )

    @property
    def env(self) -> dict[str, str]:
        """The variable that Azure's tools and samples read."""
        return {"AZURE_STORAGE_CONNECTION_STRING": self.connection_string}


def name_of(number: int) -> str:
    """The name of an account: 0 is the well-known one.

    Raises:
        ValueError: there is no such account.
    """
    if not 0 <= number <= OTHERS:
        raise ValueError(f"accounts are numbered from 0 to {OTHERS}, and not {number}")
    return f"local{number}" if number else WELL_KNOWN


def declaration() -> str:
    """All accounts with their keys, as the variable AZURITE_ACCOUNTS has them."""
    return ";".join(f"{name_of(number)}:{WELL_KNOWN_KEY}" for number in range(OTHERS + 1))
