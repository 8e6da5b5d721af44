"""Starts like a function's runtime: folders on the path, a function imported, one event given.

    python -S boot.py MODULE EVENT.json FOLDER...

Ends without taking anything down: the time wanted is that until the event was handled.
"""

from __future__ import annotations

import json
import os
import sys


def main(module: str, event: str, folders: list[str]) -> None:
    """Import `run` of the module and give it the event; it has to return true."""
    sys.path[:0] = folders
    run = __import__(module, fromlist=["run"]).run
    with open(event) as file:
        handled = run(json.load(file), None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if handled is True else 1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
