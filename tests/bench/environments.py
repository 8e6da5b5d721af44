"""Environments of the peers: each pinned by hash, made once, under `.venvs/`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ("sdk", "powertools", "dbos", "c7n", "sam", "lambda")


def base_python() -> str:
    """The interpreter beneath this environment, which every process that starts bare runs."""
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def peer_python(peer: str) -> str:
    """The interpreter of a peer's environment, which is made where it does not stand ready."""
    requirements = ROOT / "requirements" / f"bench-{peer}.txt"
    folder = ROOT / ".venvs" / f"bench-{peer}"
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    wanted = f"{hashlib.sha256(requirements.read_bytes()).hexdigest()} {sys.version}"
    if not ready.exists() or ready.read_text() != wanted:
        print(f"making {folder.relative_to(ROOT)} ...", file=sys.stderr, flush=True)
        subprocess.run([base_python(), "-m", "venv", "--clear", folder], check=True)
        # The file has all that is needed; pip takes what is wanted with other extras for another.
        pip = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
        subprocess.run(
            [*pip, "-r", requirements],
            check=True,
            stdout=sys.stderr,
        )
        ready.write_text(wanted)
    return str(python)


def packages(python: str) -> Path:
    """The folder in which an environment keeps its packages."""
    found = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(found.stdout.strip())
