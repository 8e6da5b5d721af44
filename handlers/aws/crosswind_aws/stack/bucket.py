"""A bucket beside a stack: only whoever deploys can read it, and all in it is encrypted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from botocore.exceptions import ClientError

from crosswind.stacks.driver import StackError
from crosswind_aws.faults import code_of
from crosswind_aws.stack import names
from crosswind_aws.stack.aws import Aws, explained

_MISSING: Final = {"404", "NoSuchBucket", "NoSuchKey", "NotFound"}
_OURS: Final = "BucketAlreadyOwnedByYou"
_DELETED_AT_ONCE: Final = 1_000


class Bucket:
    """The bucket of a stack."""

    def __init__(self, aws: Aws, stack: str) -> None:
        self._aws = aws
        self._stack = stack

    @property
    def name(self) -> str:
        """Its name."""
        return names.bucket(self._stack, self._aws.caller[0], self._aws.region)

    def exists(self) -> bool:
        """Whether it is there."""
        with explained(f"look at bucket {self.name}"):
            try:
                self._aws.s3.head_bucket(Bucket=self.name, **self._owner)
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return False
                raise
        return True

    def create(self, app: str) -> None:
        """Have it, whoever makes it.

        Args:
            app: whose it is, for its tags.
        """
        if self.exists():
            return
        s3, region = self._aws.s3, self._aws.region
        # Where S3 began, a region must not be named: docs.aws.amazon.com/AmazonS3/latest/API/
        # API_CreateBucket.html.
        where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        with explained(f"create bucket {self.name}"):
            try:
                s3.create_bucket(Bucket=self.name, **({} if region == "us-east-1" else where))
            except ClientError as error:
                # Somebody else begins to deploy the same at the same time.
                if code_of(error) != _OURS:
                    raise
            s3.put_public_access_block(
                Bucket=self.name,
                PublicAccessBlockConfiguration={
                    "BlockPublicAcls": True,
                    "IgnorePublicAcls": True,
                    "BlockPublicPolicy": True,
                    "RestrictPublicBuckets": True,
                },
            )
            s3.put_bucket_tagging(
                Bucket=self.name,
                Tagging={"TagSet": [{"Key": "crosswind:app", "Value": app}]},
            )

    def has(self, key: str) -> bool:
        """Whether something lies there."""
        with explained(f"look for {key} in bucket {self.name}"):
            try:
                self._aws.s3.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return False
                raise
        return True

    def put(self, key: str, body: bytes, kind: str = "application/json") -> None:
        """Lay something there."""
        with explained(f"write {key} to bucket {self.name}"):
            self._aws.s3.put_object(
                Bucket=self.name,
                Key=key,
                Body=body,
                ContentType=kind,
                ServerSideEncryption="AES256",
                **self._owner,
            )

    def read(self, key: str) -> bytes | None:
        """What lies there; None where nothing does."""
        with explained(f"read {key} of bucket {self.name}"):
            try:
                found: bytes = self._aws.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return None
                raise
        return found

    def keys(self, prefix: str, before: float | None = None) -> list[str]:
        """Names that begin so, in their order.

        Args:
            before: only what was laid there earlier, seconds since the epoch.
        """
        with explained(f"list bucket {self.name}"):
            return [
                str(one["Key"])
                for one in self._listed(prefix)
                if before is None or one["LastModified"].timestamp() < before
            ]

    def drop(self, keys: Iterable[str]) -> None:
        """Take these away, where they are there."""
        with explained(f"clear up in bucket {self.name}"):
            self._delete([{"Key": key} for key in keys])

    def remove(self) -> None:
        """Take it away with all that is in it, old versions too."""
        if not self.exists():
            return
        s3 = self._aws.s3
        with explained(f"empty and delete bucket {self.name}"):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=self.name):
                self._delete(
                    [
                        {"Key": one["Key"], "VersionId": one["VersionId"]}
                        for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
                    ]
                )
            self._delete([{"Key": one["Key"]} for one in self._listed("")])
            s3.delete_bucket(Bucket=self.name)

    @property
    def _owner(self) -> dict[str, str]:
        """That nobody else's bucket of this name is meant."""
        return {"ExpectedBucketOwner": self._aws.caller[0]}

    def _delete(self, objects: list[dict[str, str]]) -> None:
        for first in range(0, len(objects), _DELETED_AT_ONCE):
            part = objects[first : first + _DELETED_AT_ONCE]
            answer = self._aws.s3.delete_objects(
                Bucket=self.name, Delete={"Objects": part, "Quiet": True}
            )
            failed = answer.get("Errors", [])
            if failed:
                raise StackError(
                    f"{len(failed)} object(s) of bucket {self.name} are not deleted: "
                    f"{failed[0].get('Key')}: {failed[0].get('Message')}"
                )

    def _listed(self, prefix: str) -> list[dict[str, Any]]:
        pages = self._aws.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        return [one for page in pages for one in page.get("Contents", ())]
