"""Updates by field mask.

AIP-134, https://google.aip.dev/134: only what the mask names changes; a field that the mask names
and the request leaves out is cleared.
"""

from collections.abc import Collection, Iterable

from crosswind_local.errors import ServiceError
from crosswind_local.pubsub.protocol import Pb


def update(current: Pb, changes: Pb, mask: Pb, *, mutable: Collection[str]) -> Pb:
    """A copy of `current` with what `mask` names taken from `changes`.

    Raises:
        ServiceError: the mask is empty, or names an unknown or immutable field
            (INVALID_ARGUMENT).
    """
    paths = list(mask.paths)
    if not paths:
        raise ServiceError(
            "INVALID_ARGUMENT", "The update_mask in the request must be set, and must not be empty."
        )
    _check(paths, changes, mutable)
    updated = type(current)()
    updated.CopyFrom(current)
    mask.MergeMessage(changes, updated, True, True)
    return updated


def _check(paths: Iterable[str], resource: Pb, mutable: Collection[str]) -> None:
    for path in paths:
        descriptor = resource.DESCRIPTOR
        for part in path.split("."):
            field = None if descriptor is None else descriptor.fields_by_name.get(part)
            if field is None:
                raise ServiceError(
                    "INVALID_ARGUMENT", f"Invalid update_mask provided in the request: {path}."
                )
            descriptor = field.message_type
        if path.split(".")[0] not in mutable:
            raise ServiceError(
                "INVALID_ARGUMENT",
                f"Invalid update_mask provided in the request: {path} is not mutable.",
            )
