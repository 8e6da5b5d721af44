"""Where wheels come from: uv's own settings, or else pip's.

pip's settings are what an organisation has already written down for its builds: its index, its
certificate, its folder of wheels. uv does not read them. They are handed over where nobody has
configured uv, as environment variables and never as arguments, for an index's address may hold a
password.

With several indexes pip takes the best version that any of them has; so does uv here, where the
indexes are pip's. Where uv is configured it takes a package from the first index that has it, so
that nobody can slip in a package of the same name elsewhere: the better choice for private ones.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

_UV: Final = (
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_INDEX",
    "UV_INDEX_URL",
)

_NAMES: Final = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}
"""Settings of pip, and the variables by which uv is told the same."""

_LISTS: Final = {"UV_INDEX": " ", "UV_FIND_LINKS": ","}
"""How uv wants several."""


class Indexes(NamedTuple):
    """What uv is told of indexes: variables, and whether only folders of wheels are asked."""

    variables: Mapping[str, str] = MappingProxyType({})
    none: bool = False


def read_indexes(
    environment: Mapping[str, str], project: Mapping[str, Any], root: Path, home: Path
) -> Indexes:
    """What pip is told of indexes here; nothing where uv has settings of its own.

    Args:
        environment: of this process.
        project: the project's `pyproject.toml`.
        root: the project.
        home: of the user.
    """
    if any(environment.get(name) for name in _UV) or _configured(environment, project, root, home):
        return Indexes()
    found: dict[str, str] = {}
    none = False
    for settings in _pip_settings(environment, home):
        if "no-index" in settings:
            none = settings["no-index"].strip().lower() in ("1", "true", "yes", "on")
        for name, variable in _NAMES.items():
            value = " ".join(settings.get(name, "").split())
            if value:
                separator = _LISTS.get(variable)
                found[variable] = value if separator is None else separator.join(value.split())
    if "UV_INDEX" in found and not environment.get("UV_INDEX_STRATEGY"):
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if environment.get("SSL_CERT_FILE"):
        found.pop("SSL_CERT_FILE", None)
    return Indexes(found, none)


def _configured(
    environment: Mapping[str, str], project: Mapping[str, Any], root: Path, home: Path
) -> bool:
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    files = (root / "uv.toml", config / "uv" / "uv.toml", Path("/etc/uv/uv.toml"))
    return "uv" in project.get("tool", {}) or any(file.is_file() for file in files)


def _pip_settings(environment: Mapping[str, str], home: Path) -> Iterator[dict[str, str]]:
    """From the least to the most telling, as pip reads them."""
    for file in _pip_files(environment, home):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself would refuse to run; what it cannot read says nothing here
        for section in ("global", "install"):
            if parser.has_section(section):
                yield {name.replace("_", "-"): value for name, value in parser.items(section)}
    yield {
        name[4:].lower().replace("_", "-"): value
        for name, value in environment.items()
        if name.startswith("PIP_")
    }


def _pip_files(environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    named = environment.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    for folder in reversed((environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    yield Path(sys.prefix, "pip.conf")
    if named:
        yield Path(named)
