"""What is asked of a stack at the command line: an artifact, files beside it, an adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crosswind.cli.adapters import adapter
from crosswind.cli.faults import Failure

if TYPE_CHECKING:
    from crosswind.cli.stackoptions import Place
    from crosswind.stacks.driver import Driver, Request, Sizing
    from crosswind.stacks.release import Release

_LARGEST_FILE: Final = 4 << 20


def request(
    cloud: str,
    *,
    artifact: Path | None,
    resources: Path | None,
    grants: Path | None,
    share_fate: bool,
    signals: str | None,
    look_only: bool,
    **sizing: Any,
) -> Request:
    from crosswind.stacks.driver import Request
    from crosswind.stacks.release import read_release

    release = read_release(artifact or _artifact(cloud), cloud)
    return Request(
        release,
        _sizing(**sizing),
        None if resources is None else _document(resources),
        {} if grants is None else _grants(grants),
        share_fate,
        signals,
        look_only,
    )


def _sizing(*, concurrency: int, notify: tuple[str, ...], **given: int) -> Sizing:
    from crosswind.stacks.driver import Sizing

    return Sizing(concurrency=concurrency or None, notify=notify, **given)


def _artifact(cloud: str) -> Path:
    """The only artifact in ./dist."""
    found = sorted(Path("dist").glob(f"*-{cloud}-*.zip"))
    if not found:
        raise Failure(f"there is no artifact in ./dist; make one with: crosswind package {cloud}")
    if len(found) > 1:
        listed = ", ".join(map(str, found))
        raise Failure(f"there are several artifacts in ./dist; name one of them: {listed}")
    return found[0]


def app_of(place: Place) -> str | None:
    """The app of the artifact in ./dist, where no stack is named."""
    if place.stack is not None:
        return None
    from crosswind.stacks.release import read_release

    try:
        artifact = _artifact(place.cloud)
    except Failure as failure:
        raise Failure(
            f"say which stack is meant, with --stack NAME: {failure.message}"
        ) from failure
    release: Release = read_release(artifact, place.cloud)
    return release.app


def _document(path: Path) -> Any:
    """A file of YAML or JSON."""
    import yaml

    if path.stat().st_size > _LARGEST_FILE:
        raise Failure(f"{path} is larger than {_LARGEST_FILE >> 20} MB, which is too much")
    try:
        return yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        raise Failure(f"{path} is neither YAML nor JSON: {error}") from error


def _grants(path: Path) -> Mapping[str, Any]:
    found = _document(path)
    fits = isinstance(found, dict) and all(
        isinstance(several, list) and all(isinstance(one, dict) for one in several)
        for several in found.values()
    )
    if not fits:
        raise Failure(
            f"{path} must hold, by kind, a list of statements such as "
            '{"cache.purge": [{"Action": ["example:Purge"], "Resource": ["arn:..."]}]}'
        )
    return found  # type: ignore[no-any-return]  # its form was looked at above


def driver_of(place: Place, app: str | None) -> Driver:
    """What the adapter of a cloud has; the core knows it by name only."""
    with adapter(place.cloud, "stack") as found:
        opened: Driver = found.open_stack(app, place.stack, place.region)
        return opened
