"""Installs the local Service Bus's engine, proton, of which there is no wheel: it is compiled.

The machine's C compiler does it, or else one that comes from the index (Zig's), which is put into a
temporary folder and not kept. pip keeps what was compiled, so that it is done once on a machine.

    .venv/bin/python requirements/compiled.py
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
HEADERS: Final = """\
Python's headers are not here ({missing}), and the local Service Bus, which is tested, is compiled \
with them. Install them, such as with
  apt-get install python{version}-dev    (Debian, Ubuntu)
  dnf install python{version}-devel      (Fedora)
or take a Python that has them: python.org's, pyenv's, uv's. Nothing else that `make` does needs \
them but `make check` and `make test`."""
FAILED: Final = """\
python-qpid-proton could not be installed; above is why. The local Service Bus, which is tested, \
needs it. Where it is the compiler that fails, install another one, such as with \
`apt-get install gcc libc6-dev`, and name it with CC=..."""


def found() -> dict[str, str] | None:
    """The variables with which a C compiler of this machine is used, the one asked for first."""
    asked = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    for command in (asked, "cc", "gcc", "clang"):
        if shutil.which(shlex.split(command)[0]):
            return {"CC": command}
    return None


def fetched(folder: Path) -> dict[str, str]:
    """The variables with which Zig, put into a folder, is the C compiler.

    Raises:
        CalledProcessError: the index does not give it.
    """
    print("no C compiler here; taking one from the index ...", file=sys.stderr, flush=True)
    pip("--target", str(folder), "-r", str(HERE / "compiler.txt"))
    # Left to itself Zig traps what C leaves undefined, which is for those who work on proton.
    command = shlex.join([str(folder / "ziglang" / "zig"), "cc", "-fno-sanitize=undefined"])
    cache = str(folder / "cache")
    return {
        "CC": command,
        # Python's own would have the options of the linker that Python was made with.
        "LDSHARED": f"{command} -shared",
        "ZIG_GLOBAL_CACHE_DIR": cache,
        "ZIG_LOCAL_CACHE_DIR": cache,
    }


def pip(*arguments: str, **variables: str) -> None:
    """Install what is pinned by hash.

    Raises:
        CalledProcessError: it could not be installed; pip has said why.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*command, "--require-hashes", *arguments], env={**os.environ, **variables}, check=True
    )


def main() -> None:
    """Install it, or say what to install first."""
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.exists():
        version = "{}.{}".format(*sys.version_info)
        sys.exit(HEADERS.format(missing=header, version=version))
    with tempfile.TemporaryDirectory(prefix="crosswind-compiler-") as name:
        folder = Path(name)
        try:
            variables = found() or fetched(folder)
            pip("--no-build-isolation", "-r", str(HERE / "servicebus.txt"), **variables)
        except subprocess.CalledProcessError as error:
            raise SystemExit(FAILED) from error


if __name__ == "__main__":
    main()
