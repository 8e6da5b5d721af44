"""Updates by field mask.

UpdateQueue, https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2: only what the
mask names changes, an empty mask means every field, and what is output only is left alone.
"""

from collections.abc import Collection

from crosswind_local.errors import ServiceError
from crosswind_local.tasks.protocol import Pb


def update(
    current: Pb, changes: Pb, mask: Pb, *, mutable: Collection[str], fixed: Collection[str]
) -> Pb:
    """A copy of `current` with what `mask` names taken from `changes`.

    `mutable` fields change, and what is named among `fixed` ones stays as it is; both are of the
    first level.

    Raises:
        ServiceError: the mask names a field that there is not (INVALID_ARGUMENT).
    """
    updated = type(current)()
    updated.CopyFrom(current)
    chosen = type(mask)()
    for path in mask.paths or sorted(mutable):
        _check(path, changes)
        if path.split(".")[0] in mutable:
            chosen.paths.append(path)
        elif path.split(".")[0] not in fixed:
            raise _invalid(path)
    chosen.MergeMessage(changes, updated, True, True)
    return updated


def _check(path: str, resource: Pb) -> None:
    descriptor = resource.DESCRIPTOR
    for part in path.split("."):
        field = None if descriptor is None else descriptor.fields_by_name.get(part)
        if field is None:
            raise _invalid(path)
        # A mask cannot look into the items of a list.
        descriptor = None if field.is_repeated else field.message_type


def _invalid(path: str) -> ServiceError:
    return ServiceError("INVALID_ARGUMENT", f"Invalid update_mask: {path} cannot be updated.")
