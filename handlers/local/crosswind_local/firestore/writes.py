"""One write: whether it is well formed, whether it may happen, and what the document becomes.

`Write`, `Precondition` and `WriteResult` of the v1 API.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crosswind_local.errors import ServiceError
from crosswind_local.firestore import limits, masks, names, transforms, values
from crosswind_local.firestore.paths import Path
from crosswind_local.firestore.protocol import Document, Pb, micros, timestamp
from crosswind_local.firestore.refusals import invalid


@dataclass(frozen=True, slots=True)
class Planned:
    """A write that is well formed: the document it is about, and the paths of its mask."""

    write: Pb
    name: str
    mask: Sequence[Path] | None
    transforms: Sequence[Pb]


@dataclass(frozen=True, slots=True)
class Written:
    """What a write makes of a document: None when it is gone."""

    document: Pb | None
    results: Sequence[Pb]


def plan(write: Pb, database: str) -> Planned:
    """Read a write to a document of `database`.

    Raises:
        ServiceError: it is not well formed (INVALID_ARGUMENT).
    """
    operation = write.WhichOneof("operation")
    if operation is None:
        raise invalid("A write names no operation.")
    if operation != "update" and (write.HasField("update_mask") or write.update_transforms):
        raise invalid("update_mask and update_transforms go with an update only.")
    if write.HasField("current_document"):
        _check_precondition(write.current_document)
    mask: list[Path] | None = None
    changes: Sequence[Pb] = ()
    match operation:
        case "update":
            name = write.update.name
            values.settle(write.update.fields)
            if write.HasField("update_mask"):
                mask = masks.written(write)
            changes = write.update_transforms
        case "transform":
            name = write.transform.document
            mask = []
            changes = write.transform.field_transforms
            if not changes:
                raise invalid("A transform names no field.")
        case _:
            name = write.delete
    transforms.check(changes)
    names.check_document(name, database)
    return Planned(write, name, mask, changes)


def plan_all(requested: Sequence[Pb], database: str) -> list[Planned]:
    """Read all writes of a commit.

    Raises:
        ServiceError: one is not well formed, or a document has too many transforms.
    """
    planned = [plan(write, database) for write in requested]
    counts: dict[str, int] = {}
    for one in planned:
        counts[one.name] = counts.get(one.name, 0) + len(one.transforms)
        if counts[one.name] > limits.TRANSFORMS_PER_DOCUMENT:
            raise invalid(
                f"A document has more than {limits.TRANSFORMS_PER_DOCUMENT} field transformations "
                "in a single commit."
            )
    return planned


def carry_out(planned: Planned, current: Pb | None, now: int) -> Written:
    """Make of the current document what a write wants; `now` is in microseconds since 1970.

    The current document is left as it is. A write that changes nothing returns it, and so keeps
    its update time.

    Raises:
        ServiceError: the precondition does not hold, or the document would be too large.
    """
    write, name = planned.write, planned.name
    if write.HasField("current_document"):
        _require(write.current_document, name, current)
    if write.WhichOneof("operation") == "delete":
        return Written(None, ())
    document = Document(name=name)
    if planned.mask is None:
        document.fields.MergeFrom(write.update.fields)
    else:
        if current is not None:
            document.fields.MergeFrom(current.fields)
        masks.copy(write.update.fields, document.fields, planned.mask)
    stamp = timestamp(now)
    results = [transforms.apply(change, document.fields, stamp) for change in planned.transforms]
    _check_bounds(document)
    if current is not None:
        document.create_time.CopyFrom(current.create_time)
        document.update_time.CopyFrom(current.update_time)
        if document == current:
            return Written(current, results)
    else:
        document.create_time.CopyFrom(stamp)
    document.update_time.CopyFrom(stamp)
    return Written(document, results)


def _check_precondition(condition: Pb) -> None:
    if condition.WhichOneof("condition_type") == "update_time":
        stamp = condition.update_time
        if stamp.nanos % 1000 or not 0 <= stamp.nanos < 1_000_000_000:
            raise invalid("The update_time of a precondition must be microsecond aligned.")


def _require(condition: Pb, name: str, current: Pb | None) -> None:
    match condition.WhichOneof("condition_type"):
        case "exists" if condition.exists and current is None:
            raise ServiceError("NOT_FOUND", f"No document to update: {name}")
        case "exists" if not condition.exists and current is not None:
            raise ServiceError("ALREADY_EXISTS", f"Document already exists: {name}")
        case "update_time":
            stored = 0 if current is None else micros(current.update_time)
            required = micros(condition.update_time)
            if current is None or stored != required:
                raise ServiceError(
                    "FAILED_PRECONDITION",
                    f"The stored version ({stored}) of {name} does not match the required base "
                    f"version ({required}).",
                )


def _check_bounds(document: Pb) -> None:
    size = values.size_of_document(document)
    if size > limits.DOCUMENT_BYTES:
        raise invalid(
            f'Document "{document.name}" cannot be written because its size ({size:,} bytes) '
            f"exceeds the maximum allowed size of {limits.DOCUMENT_BYTES:,} bytes."
        )
    if values.index_entries(document.fields) > limits.INDEX_ENTRIES:
        raise invalid(
            f'Document "{document.name}" needs more than {limits.INDEX_ENTRIES} index entries.'
        )
