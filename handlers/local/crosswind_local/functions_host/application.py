"""A function app as it is deployed: a folder, or a zip of one."""

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crosswind_local.errors import StartFailed

PACKAGES = Path(".python_packages", "lib", "site-packages")
"""Where an app brings what it needs.

Source: learn.microsoft.com/azure/azure-functions/functions-reference-python, "Package management".
"""

SCRIPT = "function_app.py"

_UNPACKED = 2 * 1024**3
_ENTRIES = 200_000


@dataclass(frozen=True, slots=True)
class Application:
    """An app whose files are there.

    Attributes:
        folder: what the worker takes for the root of the app.
        packages: the folders that it brings modules in.
    """

    folder: Path
    packages: tuple[Path, ...]

    @property
    def host_json(self) -> Path:
        """Its settings for the host."""
        return self.folder / "host.json"


def open_application(path: Path, scratch: Path) -> Application:
    """The app in a folder or zip; a zip is unpacked into `scratch`.

    Raises:
        StartFailed: it is no app, or one of another programming model; lists every fault.
    """
    if path.is_file():
        folder = scratch / "app"
        _unpack(path, folder)
    elif path.is_dir():
        folder = path.resolve()
    else:
        raise StartFailed(f"there is no function app at {path}: give its folder or its zip")
    faults = []
    if not (folder / SCRIPT).is_file():
        faults.append(f"{SCRIPT} is missing: only the v2 programming model of Python is run")
    if not (folder / "host.json").is_file():
        faults.append('host.json is missing: the least is {"version": "2.0"}')
    packages = folder / PACKAGES
    if not packages.is_dir() and _needs_more(folder / "requirements.txt"):
        faults.append(
            f"{PACKAGES} is missing, which should hold what requirements.txt asks for: "
            f"pip install -r requirements.txt --target {PACKAGES}"
        )
    if faults:
        raise StartFailed(f"{path} is not a function app that can be run: " + "; ".join(faults))
    return Application(folder, (packages,) if packages.is_dir() else ())


def _needs_more(requirements: Path) -> bool:
    """Whether an app asks for more than `azure-functions`, which the worker brings."""
    if not requirements.is_file():
        return False
    asked = (line.partition("#")[0].strip() for line in requirements.read_text().splitlines())
    names = (line.replace("_", "-").lower() for line in asked if line and line[0] != "-")
    return any(not _is_azure_functions(name) for name in names)


def _is_azure_functions(requirement: str) -> bool:
    rest = requirement.removeprefix("azure-functions")
    return rest != requirement and (not rest or rest[0] in "=<>!~;[ @")


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > _ENTRIES or sum(entry.file_size for entry in entries) > _UNPACKED:
                raise StartFailed(f"{path} is larger than {_UNPACKED // 1024**2} MiB unpacked")
            for entry in entries:
                name = PurePosixPath(entry.filename)
                if name.is_absolute() or ".." in name.parts:
                    raise StartFailed(f"{path} holds {entry.filename!r}, which is outside of it")
            shutil.rmtree(folder, ignore_errors=True)
            archive.extractall(folder)
    except zipfile.BadZipFile as error:
        raise StartFailed(f"{path} is neither a folder nor a zip: {error}") from error
