"""How keys of KMS and secrets of Secrets Manager are renewed. What is in them is never read.

Keys of AWS itself are left out: AWS renews them. Sources: docs.aws.amazon.com/kms/latest/
developerguide/rotate-keys.html (only symmetric keys whose material is KMS's own rotate), and
docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from crosswind.adopting.found import FoundRotation
from crosswind_aws.adopt.asking import Asker, NotRead

_ROTATES: Final = "SYMMETRIC_DEFAULT"


def keys(asker: Asker, region: str) -> Iterator[FoundRotation]:
    """The keys of a region."""
    aliases: dict[str, str] = {}
    denied: NotRead | None = None
    try:
        for one in asker.pages("kms", "ListAliases", "Aliases", region):
            if "TargetKeyId" in one:
                aliases.setdefault(one["TargetKeyId"], str(one["AliasName"]))
    except NotRead as error:
        denied = error  # keys have ids too; that their names are missing is told at the end
    for key in asker.pages("kms", "ListKeys", "Keys", region):
        number = str(key["KeyId"])
        try:
            found = asker.ask("kms", "DescribeKey", region, KeyId=number)["KeyMetadata"]
            if found.get("KeyManager") == "AWS" or found.get("KeyState") != "Enabled":
                continue
            says, renewed = _key(asker, region, found)
        except NotRead as error:
            # A key's own policy may shut out those whom IAM lets in.
            if error.code not in ("AccessDeniedException", "NotFoundException"):
                raise
            denied = error
            continue
        yield FoundRotation("key", aliases.get(number, number), f"aws/{region}", says, renewed)
    if denied is not None:
        raise denied


def _key(asker: Asker, region: str, key: Mapping[str, Any]) -> tuple[str, bool]:
    if key.get("KeySpec", _ROTATES) != _ROTATES:
        return f"its kind, {key['KeySpec']}, is not rotated by KMS", False
    if key.get("Origin", "AWS_KMS") != "AWS_KMS":
        return f"its material comes from elsewhere ({key['Origin']})", False
    status = asker.ask("kms", "GetKeyRotationStatus", region, KeyId=key["KeyId"])
    if not status.get("KeyRotationEnabled"):
        return "automatic rotation is off", False
    return f"rotated every {status.get('RotationPeriodInDays', 365)} days", True


def secrets(asker: Asker, region: str) -> Iterator[FoundRotation]:
    """The secrets of a region, by name."""
    for one in asker.pages("secretsmanager", "ListSecrets", "SecretList", region):
        renewed = bool(one.get("RotationEnabled"))
        rules = one.get("RotationRules") or {}
        if not renewed:
            says = "rotation is off"
        elif "ScheduleExpression" in rules:
            says = f"rotated as {rules['ScheduleExpression']}"
        elif "AutomaticallyAfterDays" in rules:
            says = f"rotated every {rules['AutomaticallyAfterDays']} days"
        else:
            says = "rotated"
        yield FoundRotation("secret", str(one["Name"]), f"aws/{region}", says, renewed)
