"""A client that is made quickly is the client that botocore makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.session import Session, get_session

from crosswind_aws import clients
from crosswind_aws.descriptions import QuickLoader, regular_endpoints

WHOLE: Any = Loader().load_data("endpoints")
QUICK: Any = regular_endpoints(Loader().load_data("partitions"))
COMPARED = ("partition", "dnsSuffix", "regionRegex", "defaults")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """No account, no configuration, and no session that was made for either."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_DATA_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    clients._session.cache_clear()
    yield monkeypatch
    clients._session.cache_clear()


def both() -> tuple[Session, Session]:
    """A session as botocore makes it, and one with our loader."""
    plain, quick = get_session(), get_session()
    quick.register_component("data_loader", QuickLoader())
    return plain, quick


def _signature(client: Any) -> tuple[str, str, str]:
    """How a client signs; botocore has no public name for it."""
    signer = client._request_signer
    return signer.signing_name, signer.region_name, signer.signature_version


def test_what_is_said_of_a_partition_is_what_botocore_says() -> None:
    quick = {one["partition"]: one for one in QUICK["partitions"]}
    for whole in WHOLE["partitions"]:
        mine = quick[whole["partition"]]
        # Some partitions' lists do not have what the newer list of partitions promises.
        tags = [one["tags"] for one in whole["defaults"]["variants"]]
        mine["defaults"]["variants"] = [
            one for one in mine["defaults"]["variants"] if one["tags"] in tags
        ]
        assert {key: mine[key] for key in COMPARED} == {key: whole[key] for key in COMPARED}


@pytest.mark.parametrize("service", sorted(clients.REGULAR))
@pytest.mark.parametrize("how", [{}, {"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}])
def test_every_region_has_the_host_and_the_signature_that_botocore_gives_it(
    service: str, how: dict[str, Any], environ: pytest.MonkeyPatch
) -> None:
    plain, quick = both()
    regions = plain.get_available_regions(service)
    assert len(regions) > 20
    for region in (*regions[::6], "us-east-1"):
        made = [one.create_client(service, region, config=Config(**how)) for one in (plain, quick)]
        seen = [(_signature(client), client.meta.endpoint_url) for client in made]
        assert seen[0] == seen[1]


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1"])
def test_other_partitions_have_their_own_hosts(region: str, environ: pytest.MonkeyPatch) -> None:
    plain, quick = both()
    assert (
        plain.create_client("dynamodb", region).meta.endpoint_url
        == quick.create_client("dynamodb", region).meta.endpoint_url
    )


def test_a_service_is_described_as_botocore_describes_it() -> None:
    for service in clients.REGULAR:
        whole = Loader().load_service_model(service, "service-2")
        assert QuickLoader().load_service_model(service, "service-2") == whole


def test_a_service_that_nobody_knows_is_named() -> None:
    with pytest.raises(UnknownServiceError, match="nothing"):
        QuickLoader().load_service_model("nothing", "service-2")


def test_descriptions_of_a_users_own_are_looked_into_first(
    tmp_path: Path, environ: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "sqs" / "2030-01-01"
    own.mkdir(parents=True)
    model: Any = Loader().load_service_model("sqs", "service-2")
    model["metadata"]["serviceId"] = "Own"
    (own / "service-2.json").write_text(json.dumps(model))
    rules: Any = Loader().load_service_model("sqs", "endpoint-rule-set-1")
    (own / "endpoint-rule-set-1.json").write_text(json.dumps(rules))
    environ.setenv("AWS_DATA_PATH", str(tmp_path))
    assert clients.sqs().meta.service_model.service_id == "Own"


def test_only_regular_services_are_made_quickly(environ: pytest.MonkeyPatch) -> None:
    assert isinstance(clients._session(True).get_component("data_loader"), QuickLoader)
    assert not isinstance(clients._session(False).get_component("data_loader"), QuickLoader)
    # Its host is the same everywhere, which is no rule.
    assert clients.control("route53", "eu-west-1").meta.endpoint_url.endswith("amazonaws.com")
    assert clients.dynamodb().meta.endpoint_url == "https://dynamodb.us-east-1.amazonaws.com"
