"""The command line.

    root         the command `crosswind` and its sections
    session      what a command works with: app, fleet, store, bus, performers, engine
    options      the options by which a person says where these are
    output       tables for people, JSON for programs
    faults       errors as one sentence and an exit code
    teaching     commands whose help holds examples

The other modules hold the commands, one module a subject. Only click is imported before a command
runs, so that help and completion answer at once.
"""

from __future__ import annotations

import sys

NEEDED = frozenset({"click", "rich", "yaml"})
"""Packages of the extra `crosswind[cli]`."""


def main() -> None:
    """Run the command line and exit."""
    try:
        from crosswind.cli.root import crosswind

        crosswind.main(prog_name="crosswind")
    except ImportError as error:
        # Raised by the import itself, or again by who noticed that a package is missing.
        cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
        package = (cause.name or "").partition(".")[0]
        if package not in NEEDED:
            raise
        print(
            f"crosswind: the command line needs {package}; pip install 'crosswind[cli]'",
            file=sys.stderr,
        )
        sys.exit(2)
