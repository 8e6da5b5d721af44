"""Weights as weighted records of Route 53, compared and set in one change batch.

A batch is carried out wholly or not at all, and deletes only a record that is exactly as it is
said to be. So every record of the name is deleted as it was read and created with its new weight,
and beside them a TXT record, the note, that holds the epoch, the key and the exact shares:

    chat.example.com             CNAME  aws/us-east-1 -> 128, aws/eu-west-1 -> 127
    _crosswind.chat.example.com  TXT    crosswind=1 epoch=7 key=... aws/us-east-1=0.5 ...

Whoever changed one of them in between makes the batch fail, and what is there is read again.

Sources: docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html (change
batches are transactional; DELETE has to match), API_ListResourceRecordSets.html (PENDING changes
are listed), API_ResourceRecordSet.html (weights 0 to 255), and .../DeveloperGuide/
ResourceRecordTypes.html (a string of a TXT record has 255 characters at the most).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from crosswind.operations.traffic import SetWeights, WeightsSet
from crosswind_aws.performers.asking import Deadline, Service
from crosswind_aws.performers.failures import (
    CallFailed,
    InConflict,
    NotFound,
    Refused,
    Unreachable,
)
from crosswind_aws.performers.resources import Route53Records

HEAVIEST: Final = 255
"""The greatest weight of a record."""

NOTE_TTL: Final = 60
"""Seconds; nobody resolves the note, but a record has to have one."""

_TURNS: Final = 4
_PAGE: Final = "300"
_STRING: Final = 255
_MARK: Final = "crosswind=1"

RecordSet = Mapping[str, Any]
"""A resource record set, as the SDK gives and takes it."""


class Note(NamedTuple):
    """What the note holds: the epoch in force, the key that brought it, and the exact shares."""

    epoch: int
    key: str
    weights: Mapping[str, float]

    def strings(self) -> str:
        """As the value of a TXT record: strings in quotes, none longer than may be."""
        shares = (f"{region}={share!r}" for region, share in sorted(self.weights.items()))
        strings = [f"{_MARK} epoch={self.epoch} key={self.key}"]
        for share in shares:
            if len(strings[-1]) + len(share) + 1 > _STRING:
                strings.append(share)
            else:
                strings[-1] += " " + share
        return " ".join(f'"{string}"' for string in strings)

    @classmethod
    def of(cls, value: str) -> Note | None:
        """What a TXT record's value says; None where it is not a note."""
        words = value.replace('"', "").split()
        try:
            mark, epoch, key, *shares = words
            if mark != _MARK:
                return None
            weights = {
                region: float(share) for region, share in (one.rsplit("=", 1) for one in shares)
            }
            return cls(int(epoch.removeprefix("epoch=")), key.removeprefix("key="), weights)
        except ValueError:
            return None


class Found(NamedTuple):
    """What was read of a name: its records by region, and the note with its record."""

    records: Mapping[str, RecordSet]
    note: Note
    note_record: RecordSet | None

    @property
    def weights(self) -> dict[str, float]:
        """The share of each region by the records as they are."""
        heavy = {region: int(record["Weight"]) for region, record in self.records.items()}
        total = sum(heavy.values())
        # Where all are 0, Route 53 answers with each alike.
        return {
            region: weight / total if total else 1 / len(heavy) for region, weight in heavy.items()
        }

    @property
    def as_noted(self) -> bool:
        """Whether the records still are as the note says."""
        return self.note_record is not None and all(
            int(record["Weight"]) == heaviness(self.note.weights.get(region, 0.0))
            for region, record in self.records.items()
        )


class WeightedRecords:
    """Sets and reads the weights of records in a hosted zone."""

    def __init__(self, service: Service) -> None:
        self._ask = service

    def set(
        self, records: Route53Records, action: SetWeights, key: str, deadline: Deadline
    ) -> WeightsSet:
        """Bring the records to the weights, unless a newer epoch is in force.

        Raises:
            CallFailed: see `failures`.
        """
        strange = [
            region
            for region, share in action.weights.items()
            if share > 0 and region not in records.identifiers
        ]
        if strange:
            raise Refused(
                "route53 set-weights",
                "RegionNotDeclared",
                f"{', '.join(sorted(strange))} has no record declared for {records.record}",
            )
        last: CallFailed = InConflict(
            "route53", "InvalidChangeBatch", "others change these records"
        )
        for _ in range(_TURNS):
            found = self._find(records, deadline)
            note = found.note
            if note.key == key:
                return WeightsSet(applied=True, epoch=note.epoch, weights=note.weights)
            if note.epoch > action.epoch:
                weights = note.weights if found.as_noted else found.weights
                reason = f"epoch {note.epoch} is in force"
                return WeightsSet(applied=False, epoch=note.epoch, weights=weights, reason=reason)
            wanted = Note(action.epoch, key, dict(action.weights))
            try:
                self._ask(
                    "change_resource_record_sets",
                    deadline,
                    HostedZoneId=records.zone,
                    ChangeBatch={
                        "Comment": f"crosswind: epoch {action.epoch}",
                        "Changes": _changes(records, found, wanted),
                    },
                )
            except (InConflict, Unreachable) as failed:
                # Somebody moved it, or the answer is lost. What is there now tells; and a change
                # that lands late finds that what it would delete has gone.
                last = failed
                continue
            return WeightsSet(applied=True, epoch=wanted.epoch, weights=wanted.weights)
        raise last

    def read(self, records: Route53Records, deadline: Deadline) -> WeightsSet:
        """The weights in force: exactly those set last, or what others have made of them since.

        Raises:
            CallFailed: see `failures`.
        """
        found = self._find(records, deadline)
        weights = found.note.weights if found.as_noted else found.weights
        return WeightsSet(applied=True, epoch=found.note.epoch, weights=weights)

    def _find(self, records: Route53Records, deadline: Deadline) -> Found:
        listed = list(self._list(records.zone, records.record, records.type, deadline))
        names = {name: region for region, name in records.identifiers.items()}
        by_region: dict[str, RecordSet] = {}
        for one in listed:
            name = one.get("SetIdentifier", "")
            if name in names and "Weight" in one:
                by_region[names[name]] = one
            elif "Weight" in one and int(one["Weight"]) > 0:
                raise Refused(
                    "route53 list-resource-record-sets",
                    "RecordNotDeclared",
                    f"{records.record} has a weighted record {name!r} that no region declares",
                )
        missing = sorted(records.identifiers.keys() - by_region.keys())
        if missing:
            raise NotFound(
                "route53 list-resource-record-sets",
                "NoSuchRecord",
                f"{records.record} has no weighted {records.type} record for {', '.join(missing)}",
            )
        noted = next(iter(self._list(records.zone, records.note, "TXT", deadline)), None)
        if noted is None:
            return Found(by_region, Note(0, "", {}), None)
        note = Note.of(noted["ResourceRecords"][0]["Value"])
        if note is None:
            raise Refused(
                "route53 list-resource-record-sets",
                "NoteUnreadable",
                f"the TXT record {records.note} is not ours; remove it",
            )
        return Found(by_region, note, noted)

    def _list(self, zone: str, name: str, of_type: str, deadline: Deadline) -> Iterable[RecordSet]:
        """All record sets of a name and type."""
        start: dict[str, str] = {"StartRecordName": name, "StartRecordType": of_type}
        while True:
            page = self._ask.read(
                "list_resource_record_sets", deadline, HostedZoneId=zone, MaxItems=_PAGE, **start
            )
            for one in page["ResourceRecordSets"]:
                # They are sorted, so what is not of this name and type ends the list.
                if one["Name"].rstrip(".") != name or one["Type"] != of_type:
                    return
                yield one
            if not page["IsTruncated"]:
                return
            start = {"StartRecordName": page["NextRecordName"]}
            start["StartRecordType"] = page["NextRecordType"]
            if "NextRecordIdentifier" in page:
                start["StartRecordIdentifier"] = page["NextRecordIdentifier"]


def heaviness(share: float) -> int:
    """The weight of a record that is to get a share; never 0 where it is to get any."""
    return max(1, round(share * HEAVIEST)) if share > 0 else 0


def _changes(records: Route53Records, found: Found, wanted: Note) -> list[dict[str, Any]]:
    """Delete what was read, exactly, and create what is wanted, in one batch."""
    noted: dict[str, Any] = {
        "Name": records.note,
        "Type": "TXT",
        "TTL": NOTE_TTL,
        "ResourceRecords": [{"Value": wanted.strings()}],
    }
    old = [*found.records.values(), *([found.note_record] if found.note_record else [])]
    new: list[RecordSet] = [
        {**record, "Weight": heaviness(wanted.weights.get(region, 0.0))}
        for region, record in found.records.items()
    ]
    return [
        *({"Action": "DELETE", "ResourceRecordSet": dict(one)} for one in old),
        *({"Action": "CREATE", "ResourceRecordSet": dict(one)} for one in [*new, noted]),
    ]
