"""What is kept beside a stack: artifacts and templates by their digests, and the history.

    artifacts/SHA256.zip          what functions run
    templates/SHA256.json         what a stack was made from
    releases/TIME-DIGEST.json     what was deployed when, by whom
    attempts/TIME-DIGEST.json     what was begun, and has not ended
    drafts/ID.json                a template that is being planned

What is named by its digest is never written twice with other content, so that nothing here needs
versions.
"""

from __future__ import annotations

import json
import time
from typing import Any, Final
from uuid import uuid4

from crosswind.stacks.driver import StackError
from crosswind.stacks.history import Deployed, parse
from crosswind_aws.stack.bucket import Bucket
from crosswind_aws.stack.groups import ARTIFACT
from crosswind_aws.stack.template import digest

RELEASES: Final = "releases/"
DRAFTS: Final = "drafts/"

_SHOWN: Final = 200


class Shelf(Bucket):
    """What is kept of a stack's artifacts."""

    def has_artifact(self, sha256: str) -> bool:
        """Whether an artifact is there."""
        return self.has(artifact_key(sha256))

    def template(self, sha256: str) -> dict[str, Any]:
        """A template that was deployed.

        Raises:
            StackError: it is not there.
        """
        body = self.read(_template(sha256))
        if body is None:
            raise StackError(
                f"template {sha256[:12]} is no longer in bucket {self.name}; package the sources "
                "again, and apply that"
            )
        found: dict[str, Any] = json.loads(body)
        return found

    def put_draft(self, text: str) -> str:
        """Have a template there for as long as it is planned; its name, which nobody else uses."""
        key = f"{DRAFTS}{uuid4().hex}.json"
        self.put(key, text.encode())
        return key

    def url(self, key: str) -> str:
        """Where CloudFormation reads a template from."""
        return f"{self._aws.s3.meta.endpoint_url}/{self.name}/{key}"

    def record(self, deployed: Deployed) -> None:
        """Add to the history."""
        at = time.strftime("%Y%m%dT%H%M%S", time.gmtime(deployed.at))
        millis = int(deployed.at * 1_000) % 1_000
        key = f"{RELEASES}{at}{millis:03}-{deployed.digest[:12]}.json"
        self.put(key, deployed.model_dump_json().encode())

    def history(self) -> list[Deployed]:
        """What was deployed, oldest first; the latest of it where it is much."""
        if not self.exists():
            return []
        bodies = [self.read(key) for key in self.keys(RELEASES)[-_SHOWN:]]
        return [found for body in bodies if body and (found := parse(body)) is not None]


def artifact_key(sha256: str) -> str:
    """The name under which an artifact lies."""
    return ARTIFACT.format(digest=sha256)


def template_key(text: str) -> str:
    """The name under which a template lies."""
    return _template(digest(text))


def keys_of(deployed: Deployed) -> tuple[str, str]:
    """The names of what a release is deployed from: its artifact, and its template."""
    return artifact_key(deployed.digest), _template(deployed.template)


def _template(sha256: str) -> str:
    return f"templates/{sha256}.json"
