"""Telling people, where nobody else does it: a line on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crosswind.actions import Action, Call, Query
from crosswind.errors import Conflict
from crosswind.operations.notification import Notified, Notify
from crosswind.ports import ABSENT, Put

if TYPE_CHECKING:
    from crosswind.cli.output import Output
    from crosswind.records.ledger import Ledger

KEEP = 90 * 86_400.0
"""Seconds for which it is remembered what was told."""


class Notices:
    """Tells people on the console.

    A repeated key: what was told is kept in partition `notices:<fleet>`, under the action's key,
    and is not told again. A process that dies in between tells it twice.
    """

    performs: tuple[type[Action[Any]], ...] = (Notify,)
    answers: tuple[type[Query[Any]], ...] = ()

    def __init__(self, ledger: Ledger, fleet: str, output: Output) -> None:
        self._ledger = ledger
        self._partition = f"notices:{fleet}"
        self._output = output

    def perform(self, action: Notify, call: Call) -> Notified:
        """Write the notice to stderr, once."""
        if self._ledger.read(self._partition, call.key) is None:
            self._output.notice("\n".join(filter(None, (action.title, action.text))))
            expires = self._ledger.clock() + KEEP
            try:
                self._ledger.write(self._partition, [Put(call.key, b"{}", ABSENT, expires)])
            except Conflict:
                pass  # another process has told it at the same time
        return Notified(channel=f"{action.channel} (console)"[:128])

    def answer(self, query: Query[Any], timeout: float) -> Any:
        """It answers nothing.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"notices answer no query, so not {query.kind}")
