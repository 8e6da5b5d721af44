"""Who calls the local Firestore in unit tests: one who waits for nothing."""

from collections.abc import Callable


class Impatient:
    """A caller who has gone already, so that a commit that would wait fails at once."""

    def is_active(self) -> bool:
        return False

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return False
