"""What cfn-lint says of templates, and what the schemas that AWS publishes say of ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from crosswind.app import App
from crosswind.chains.failover import failover_app
from crosswind.stacks.driver import Sizing
from crosswind_aws.stack.comparison import REPLACING
from crosswind_aws.stack.draining import drain
from crosswind_aws.stack.template import Template
from crosswind_local.environments import interpreter
from unit.aws.stack.apps import everything, ops, purging
from unit.aws.stack.releases import RESOURCES, STACK, made
from unit.aws.stack.test_draining import smaller

TOPIC = "arn:aws:sns:us-east-1:123456789012:oncall"

CREATE_ONLY = """
import json, sys
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas
found = {}
for kind in json.load(sys.stdin):
    schema = schemas.get_resource_schema("us-east-1", kind).schema
    found[kind] = sorted({p.split("/")[2] for p in schema.get("createOnlyProperties", ())})
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of an environment that has cfn-lint."""
    return interpreter("cfn-lint", Path(__file__).with_name("cfn-lint.txt"))


def all_options(app: App) -> Template:
    return made(app, Sizing(1024, 900, 4, 3653, 60, (TOPIC,)), resources=RESOURCES)


@pytest.mark.parametrize(
    "template",
    [
        made(failover_app()),
        all_options(ops()),
        all_options(everything()),
        made(purging(), Sizing(concurrency=None)),
        drain(STACK, made(ops()), made(smaller()), lambda group: 0, 0.0).template,
    ],
    ids=["failover", "all-options", "everything", "nothing-reserved", "draining"],
)
def test_cfn_lint_finds_nothing(template: Template, python: Path, tmp_path: Path) -> None:
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))
    done = subprocess.run(
        [python.with_name("cfn-lint"), "--format", "parseable", str(file)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_cfn_lint_would_find_something(python: Path, tmp_path: Path) -> None:
    template = made(ops())
    template["Resources"]["OpsQueue"]["Properties"]["Delay"] = 1
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))
    done = subprocess.run(
        [python.with_name("cfn-lint"), str(file)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "E3002" in done.stdout


def test_what_cannot_be_changed_in_place_is_what_the_schemas_say(python: Path) -> None:
    done = subprocess.run(
        [python, "-c", CREATE_ONLY], input=json.dumps(list(REPLACING)),
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {kind: sorted(names) for kind, names in REPLACING.items()}


def test_every_type_that_is_made_is_known_to_the_comparison() -> None:
    types = {one["Type"] for one in all_options(ops())["Resources"].values()}
    assert types <= set(REPLACING)
