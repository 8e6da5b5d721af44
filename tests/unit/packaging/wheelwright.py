"""Makes wheels: tiny ones of a few lines, and copies of what is installed here."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

ANY = "py3-none-any"


def wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    tag: str = ANY,
    requires: Sequence[str] = (),
    files: Mapping[str, str | bytes] | None = None,
    extras: Sequence[str] = (),
    description: str = "What it is for.\n",
) -> Path:
    """Make a wheel; it holds one module of its name unless files are given."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    headers = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    headers += [f"Provides-Extra: {extra}" for extra in extras]
    headers += [f"Requires-Dist: {line}" for line in requires]
    content: dict[str, str | bytes] = {
        **(files if files is not None else {f"{name.replace('-', '_')}.py": "VALUE = 1\n"}),
        f"{info}/METADATA": "\n".join(headers) + f"\n\n{description}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    return _packed(folder / f"{stem}-{tag}.whl", content, info)


def repacked(folder: Path, name: str) -> Path:
    """Make a wheel of a distribution that is installed here."""
    found = distribution(name)
    # As the folder is spelled, for the name in its metadata may have capitals that this has not.
    info = next(file.parts[0] for file in found.files or () if file.parts[0].endswith(".dist-info"))
    about = found.read_text("WHEEL") or ""
    tags = [line.split(": ", 1)[1] for line in about.splitlines() if line.startswith("Tag: ")]
    parts = zip(*(one.split("-") for one in tags), strict=True)
    tag = "-".join(".".join(dict.fromkeys(part)) for part in parts)
    content: dict[str, str | bytes] = {}
    for file in found.files or ():
        path = file.as_posix()
        if path.startswith("..") or "__pycache__" in path or path.endswith("/RECORD"):
            continue
        content[path] = Path(str(found.locate_file(file))).read_bytes()
    stem = info.removesuffix(".dist-info")
    return _packed(folder / f"{stem}-{tag}.whl", content, info)


def _packed(file: Path, content: Mapping[str, str | bytes], info: str) -> Path:
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    with ZipFile(file, "w") as archive:
        for path, text in content.items():
            data = text.encode() if isinstance(text, str) else text
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
            rows.writerow([path, f"sha256={digest.decode()}", len(data)])
            archive.writestr(path, data)
        rows.writerow([f"{info}/RECORD", "", ""])
        archive.writestr(f"{info}/RECORD", record.getvalue())
    return file
