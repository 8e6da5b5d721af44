"""The apply app, put together from its parts."""

from __future__ import annotations

from typing import Final

from crosswind.app import App
from crosswind.chains.apply import admission, converging, rounds, stepping
from crosswind.chains.apply.chain import chain
from crosswind.chains.incidents.app import app as incidents

PARTS: Final = (admission, rounds, converging, stepping)
"""The modules whose handlers make up the chain, in the order of its story."""


def apply_app() -> App:
    """The app that applies declarations, with incidents."""
    app = App("apply")
    app.include(chain)
    app.include(incidents)
    return app
