"""Who sits at the keyboard, as the operating system knows it and nobody can say otherwise."""

from __future__ import annotations

import os
import pwd
import socket


def operator() -> str:
    """The user of this process, such as `ann@build-7`; never taken from options or environment."""
    identity = os.getuid()
    try:
        name = pwd.getpwuid(identity).pw_name
    except KeyError:
        name = f"uid-{identity}"
    return f"{name}@{socket.gethostname()}"
