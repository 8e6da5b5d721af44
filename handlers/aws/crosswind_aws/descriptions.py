"""What the SDK knows of services, read as fast as a start can ask for.

botocore describes each service in JSON and reads that with its first client. Two things in this are
large and tell the clients of a function nothing: whether a service exists is answered by looking
into each of some 400 folders, twice; and the hosts of all services in all regions are 1.25 MB,
though the four services here (DynamoDB, EventBridge, SQS, Scheduler) have rules of their own from
which their hosts are made. What is left is read by pydantic's parser, as plain dicts.

Loaders are replaced as botocore provides for it: by registering the component `data_loader`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final

from botocore.loaders import JSONFileLoader, Loader
from pydantic_core import from_json

_PARTITIONS: Final = "partitions"
_ENDPOINTS: Final = "endpoints"
_HOST: Final = "{service}.{region}.{dnsSuffix}"
_FIPS_HOST: Final = "{service}-fips.{region}.{dnsSuffix}"


class QuickFiles(JSONFileLoader):
    """Reads files by pydantic's parser, several times as fast as json into an OrderedDict."""

    def _load_file(self, full_path: str, open_method: Any) -> Any:
        try:
            with open_method(full_path, "rb") as file:
                return from_json(file.read(), cache_strings="keys")
        except FileNotFoundError:
            return None


class QuickLoader(Loader):
    """Loads descriptions of services whose hosts are the rule, in any partition of AWS.

    Args:
        extra_search_paths: folders of descriptions that are looked into first (`AWS_DATA_PATH`).
    """

    def __init__(self, extra_search_paths: Iterable[str] = ()) -> None:
        paths = [os.path.expanduser(os.path.expandvars(path)) for path in extra_search_paths]
        super().__init__(paths, file_loader=QuickFiles())
        self._folders: list[str] | None = None

    def list_available_services(self, type_name: str) -> list[str]:
        """The folders there are; whether one has the wanted file is seen when it is read."""
        if self._folders is None:
            present = filter(os.path.isdir, self.search_paths)
            self._folders = sorted({name for path in present for name in os.listdir(path)})
        return self._folders

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Load something; the hosts of partitions are made of what is known of these."""
        found, path = super().load_data_with_path(_PARTITIONS if name == _ENDPOINTS else name)
        return (regular_endpoints(found) if name == _ENDPOINTS else found), path


def regular_endpoints(partitions: Any) -> dict[str, Any]:
    """The document `endpoints` for services whose hosts are the rule, of that on partitions."""
    return {"version": 3, "partitions": [_partition(one) for one in partitions["partitions"]]}


def _partition(known: Any) -> dict[str, Any]:
    outputs = known["outputs"]
    suffix, dual = outputs["dnsSuffix"], outputs["dualStackDnsSuffix"]
    return {
        "partition": known["id"],
        "dnsSuffix": suffix,
        "regionRegex": known["regionRegex"],
        "regions": known["regions"],
        "services": {},
        "defaults": {
            "hostname": _HOST,
            "protocols": ["https"],
            "signatureVersions": ["v4"],
            "variants": [
                {"dnsSuffix": suffix, "hostname": _FIPS_HOST, "tags": ["fips"]},
                {"dnsSuffix": dual, "hostname": _FIPS_HOST, "tags": ["dualstack", "fips"]},
                {"dnsSuffix": dual, "hostname": _HOST, "tags": ["dualstack"]},
            ],
        },
    }
