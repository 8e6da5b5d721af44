"""Writes the archive that Cloud Custodian deploys for one policy; run in its environment.

    python -m bench.peers.custodian FOLDER

The archive is made by Custodian's own `PolicyLambda`: its package, its handler, its config.json.
"""

from __future__ import annotations

import json
import sys
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

# A change of an instance's state, which the policy is subscribed to. The id is none of an
# instance, so that the policy ends before it asks AWS, where there is none.
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2030-01-31T12:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/none"],
    "detail": {"instance-id": "none", "state": "pending"},
}

POLICY: dict[str, Any] = {
    "name": "bench",
    "resource": "aws.ec2",
    "mode": {
        "type": "ec2-instance-state",
        "role": "arn:aws:iam::123456789012:role/bench",
        "events": ["pending"],
    },
    "filters": [{"tag:owner": "absent"}],
    "actions": [{"type": "mark", "tag": "owner", "msg": "unknown"}],
}


def write(folder: Path) -> None:
    """Write the archive, unpacked, and the event."""
    resources = import_module("c7n.resources")
    resources.load_resources(("aws.ec2",))
    config = import_module("c7n.config").Config.empty(
        account_id="123456789012", region="us-east-1", output_dir="/tmp"
    )
    policies = import_module("c7n.policy").PolicyCollection.from_data(
        {"policies": [POLICY]}, config
    )
    (policy,) = policies
    archive = import_module("c7n.mu").PolicyLambda(policy).get_archive()
    with zipfile.ZipFile(archive.path) as packed:
        packed.extractall(folder)
    # Its handler asks STS for the account unless it is told, and no network is measured here.
    told = folder / "config.json"
    given = json.loads(told.read_text())
    given["execution-options"]["account_id"] = config.account_id
    told.write_text(json.dumps(given))
    (folder / "event.json").write_text(json.dumps(EVENT))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
