"""TTL policies: a collection group and the field that says when its documents expire.

"Manage data retention with TTL policies", https://cloud.google.com/firestore/docs/ttl: the field
must hold a timestamp, else the document does not expire. The service deletes a document within a
day after that time; here it is deleted after a delay that the emulator is given, which is none
unless told.
"""

from collections.abc import Callable, Iterable, Mapping

from crosswind_local.agenda import Agenda
from crosswind_local.errors import LocalCloudError, ServiceError
from crosswind_local.firestore import names, paths
from crosswind_local.firestore.paths import Path
from crosswind_local.firestore.protocol import Pb, micros

Current = Callable[[str], Pb | None]
"""A document as it is now, by its full name."""

RETRY_SECONDS = 1.0
"""After which a deletion that a transaction stood in the way of is tried again."""


class InvalidPolicy(LocalCloudError, ValueError):
    """TTL policies that cannot be followed; tells of each."""


def read_policies(texts: Iterable[str]) -> dict[str, str]:
    """The field of each collection group, from texts like "sessions=expires".

    Raises:
        InvalidPolicy: a text is not of that form, or a group has two fields.
    """
    policies: dict[str, str] = {}
    faults = []
    for text in texts:
        group, equals, field = text.partition("=")
        if not (group and equals and field):
            faults.append(f"{text!r}: write GROUP=FIELD, for example sessions=expires")
        elif group in policies:
            faults.append(f"{text!r}: {group} has a field already, {policies[group]}")
        else:
            policies[group] = field
    if faults:
        raise InvalidPolicy("; ".join(faults))
    return policies


def _compiled(policies: Mapping[str, str]) -> dict[str, Path]:
    compiled: dict[str, Path] = {}
    faults = []
    for group, field in policies.items():
        try:
            names.check_id("Collection", group)
            compiled[group] = paths.parse_writable(field)
        except ServiceError as error:
            faults.append(f"{group}={field}: {error.message}")
    if faults:
        raise InvalidPolicy("; ".join(faults))
    return compiled


class Expiry:
    """When which document is to be deleted; times are in seconds since 1970."""

    def __init__(self, policies: Mapping[str, str], delay: float, current: Current) -> None:
        """`policies` has the field path of each collection group; `delay` is in seconds.

        Raises:
            InvalidPolicy: a group or a field path is none, or the delay is negative.
        """
        if not delay >= 0:
            raise InvalidPolicy(f"a document is not deleted before it expires: ttl_delay={delay}")
        self._policies = _compiled(policies)
        self._delay = delay
        self._current = current
        self._agenda: Agenda[str] = Agenda(self._is_live)

    def note(self, name: str, before: Pb | None, after: Pb | None) -> None:
        """A document has changed."""
        path = self._policies.get(names.group_of(names.collection_of(name)))
        if path is None:
            return
        was, due = self._due(before, path), self._due(after, path)
        if was == due:
            return
        if was is not None:
            self._agenda.forget()
        if due is not None:
            self._agenda.add(due, name)

    def expired(self, now: float) -> list[str]:
        """The documents that are to be deleted now, each told once."""
        return list(self._agenda.due(now))

    def again(self, name: str, now: float) -> None:
        """A document could not be deleted; try it again a little later."""
        self._agenda.add(now + RETRY_SECONDS, name)

    def next_due(self) -> float | None:
        """When the next document is to be deleted."""
        return self._agenda.next_due()

    def _due(self, document: Pb | None, path: Path) -> float | None:
        value = None if document is None else paths.find(document.fields, path)
        if value is None or not value.HasField("timestamp_value"):
            return None
        return micros(value.timestamp_value) / 1e6 + self._delay

    def _is_live(self, when: float, name: str) -> bool:
        path = self._policies[names.group_of(names.collection_of(name))]
        due = self._due(self._current(name), path)
        # One that is tried again is noted for later than it was due.
        return due is not None and due <= when
