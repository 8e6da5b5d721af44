"""The bucket of a stack: artifacts and templates by their digests, and the history.

    artifacts/SHA256.zip          what functions run
    templates/SHA256.json         what a stack was made from
    releases/TIME-DIGEST.json     what was deployed when, by whom

What is named by its digest is never written twice with other content, so that nothing here needs
versions. Only whoever deploys can read it: public access is blocked, and all is encrypted.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from crosswind.stacks.driver import StackError
from crosswind.stacks.history import Deployed, parse
from crosswind_aws.faults import code_of
from crosswind_aws.stack import names
from crosswind_aws.stack.aws import Aws, explained
from crosswind_aws.stack.groups import ARTIFACT
from crosswind_aws.stack.template import digest

RELEASES: Final = "releases/"

_MISSING: Final = {"404", "NoSuchBucket", "NoSuchKey", "NotFound"}
_DELETED_AT_ONCE: Final = 1_000
_SHOWN: Final = 200


class Shelf:
    """What is kept of a stack's artifacts.

    Args:
        app: whose they are, for tags.
    """

    def __init__(self, aws: Aws, stack: str) -> None:
        self._aws = aws
        self._stack = stack

    @property
    def bucket(self) -> str:
        """Its name."""
        return names.bucket(self._stack, self._aws.caller[0], self._aws.region)

    def exists(self) -> bool:
        """Whether it is there."""
        with explained(f"look at bucket {self.bucket}"):
            try:
                self._aws.s3.head_bucket(Bucket=self.bucket, **self._owner)
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return False
                raise
        return True

    def create(self, app: str) -> bool:
        """Have it; whether it was not there before."""
        if self.exists():
            return False
        s3, region = self._aws.s3, self._aws.region
        # Where S3 began, a region must not be named: docs.aws.amazon.com/AmazonS3/latest/API/
        # API_CreateBucket.html.
        where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        with explained(f"create bucket {self.bucket}"):
            s3.create_bucket(Bucket=self.bucket, **({} if region == "us-east-1" else where))
            s3.put_public_access_block(
                Bucket=self.bucket,
                PublicAccessBlockConfiguration={
                    "BlockPublicAcls": True,
                    "IgnorePublicAcls": True,
                    "BlockPublicPolicy": True,
                    "RestrictPublicBuckets": True,
                },
            )
            s3.put_bucket_tagging(
                Bucket=self.bucket,
                Tagging={"TagSet": [{"Key": "crosswind:app", "Value": app}]},
            )
        return True

    def put_artifact(self, path: Path, sha256: str) -> None:
        """Have an artifact there, unless it is."""
        key = ARTIFACT.format(digest=sha256)
        if not self._has(key):
            self._put(key, path.read_bytes(), "application/zip")

    def has_artifact(self, sha256: str) -> bool:
        """Whether an artifact is there."""
        return self._has(ARTIFACT.format(digest=sha256))

    def put_template(self, text: str) -> bool:
        """Have a template there; whether it was not there before."""
        key = _template(digest(text))
        if self._has(key):
            return False
        self._put(key, text.encode(), "application/json")
        return True

    def drop_template(self, text: str) -> None:
        """Take a template away that nobody needs."""
        with explained(f"clear up in bucket {self.bucket}"):
            self._aws.s3.delete_object(Bucket=self.bucket, Key=_template(digest(text)))

    def template(self, sha256: str) -> dict[str, Any]:
        """A template that was deployed."""
        key = _template(sha256)
        with explained(f"read {key} of bucket {self.bucket}"):
            body = self._aws.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found

    def url(self, text: str) -> str:
        """Where CloudFormation reads a template from."""
        endpoint = self._aws.s3.meta.endpoint_url
        return f"{endpoint}/{self.bucket}/{_template(digest(text))}"

    def record(self, deployed: Deployed) -> None:
        """Add to the history."""
        at = time.strftime("%Y%m%dT%H%M%S", time.gmtime(deployed.at))
        millis = int(deployed.at * 1_000) % 1_000
        key = f"{RELEASES}{at}{millis:03}-{deployed.digest[:12]}.json"
        self._put(key, deployed.model_dump_json().encode(), "application/json")

    def history(self) -> list[Deployed]:
        """What was deployed, oldest first; the latest of it where it is much."""
        if not self.exists():
            return []
        with explained(f"list bucket {self.bucket}"):
            keys = [one["Key"] for one in self._listed(RELEASES)][-_SHOWN:]
            bodies = [
                self._aws.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys
            ]
        return [found for body in bodies if (found := parse(body)) is not None]

    def remove(self) -> None:
        """Take it away with all that is in it, old versions too."""
        if not self.exists():
            return
        s3 = self._aws.s3
        with explained(f"empty and delete bucket {self.bucket}"):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
                self._delete(
                    [
                        {"Key": one["Key"], "VersionId": one["VersionId"]}
                        for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
                    ]
                )
            self._delete([{"Key": one["Key"]} for one in self._listed("")])
            s3.delete_bucket(Bucket=self.bucket)

    @property
    def _owner(self) -> dict[str, str]:
        """That nobody else's bucket of this name is meant."""
        return {"ExpectedBucketOwner": self._aws.caller[0]}

    def _delete(self, objects: list[dict[str, str]]) -> None:
        for first in range(0, len(objects), _DELETED_AT_ONCE):
            part = objects[first : first + _DELETED_AT_ONCE]
            answer = self._aws.s3.delete_objects(
                Bucket=self.bucket, Delete={"Objects": part, "Quiet": True}
            )
            failed = answer.get("Errors", [])
            if failed:
                raise StackError(
                    f"{len(failed)} object(s) of bucket {self.bucket} are not deleted: "
                    f"{failed[0].get('Key')}: {failed[0].get('Message')}"
                )

    def _listed(self, prefix: str) -> list[dict[str, Any]]:
        pages = self._aws.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return [one for page in pages for one in page.get("Contents", ())]

    def _has(self, key: str) -> bool:
        with explained(f"look for {key} in bucket {self.bucket}"):
            try:
                self._aws.s3.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return False
                raise
        return True

    def _put(self, key: str, body: bytes, kind: str) -> None:
        with explained(f"write {key} to bucket {self.bucket}"):
            self._aws.s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                ContentType=kind,
                ServerSideEncryption="AES256",
                **self._owner,
            )


def _template(sha256: str) -> str:
    return f"templates/{sha256}.json"
