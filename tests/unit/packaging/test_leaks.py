"""Whatever looks like a secret is found, is never shown, and little else is.

The secrets here are put together when the tests run, so that no scanner finds any in this file.
"""

from __future__ import annotations

import base64
import random
import re
import secrets
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.packaging.faults import Faults, PackagingFailed
from crosswind.packaging.leaks import MOST_BYTES, check_leaks, entropy, leaks
from crosswind.packaging.project import Project, Rules

_CHANCE = random.Random(7)
LETTERS = string.ascii_letters + string.digits


def letters(count: int, among: str = LETTERS) -> str:
    return "".join(_CHANCE.choice(among) for _ in range(count))


UPPER = string.ascii_uppercase + "234567"

SECRETS = {
    "private-key": [
        "-----BEGIN " + kind + "PRIVATE KEY" + end
        for kind, end in (
            ("", "-----"),
            ("RSA ", "-----"),
            ("OPENSSH ", "-----"),
            ("PGP ", " BLOCK-----"),
        )
    ],
    "cloud-key": [
        "AKIA" + letters(16, UPPER),
        "ASIA" + letters(16, UPPER),
        "AIza" + letters(35),
        "AccountKey=" + base64.b64encode(_CHANCE.randbytes(64)).decode(),
        "SharedAccessKey=" + base64.b64encode(_CHANCE.randbytes(32)).decode(),
    ],
    "service-token": [
        "ghp_" + letters(36),
        "github_pat_" + letters(40),
        "glpat-" + letters(20),
        "xoxb-" + letters(30),
        "sk_live_" + letters(24),
        "npm_" + letters(36),
        "sk-ant-" + letters(40),
    ],
}


@pytest.mark.parametrize(
    ("rule", "secret"),
    [(rule, secret) for rule, several in SECRETS.items() for secret in several],
    ids=lambda value: value[:9],
)
def test_keys_and_tokens_are_found_by_their_form(rule: str, secret: str) -> None:
    for line in (secret, f'X = "{secret}"', f"{{'a': '{secret}'}}", f"  - {secret}  # c"):
        (found,) = leaks("ops/settings.py", f"# one\n{line}\n".encode())
        assert found.rule == rule
        assert found.line == 2


@pytest.mark.parametrize(
    "name",
    [".env", "prod.env", ".env.production", "id_rsa", "cert.p12", ".netrc", "credentials.json",
     "service-account-prod.json", "a.tfvars", "terraform.tfstate"],
)  # fmt: skip
def test_files_that_hold_secrets_are_known_by_name(name: str) -> None:
    (found,) = leaks(f"ops/{name}", b"nothing")
    assert found.rule == "file"


@pytest.mark.parametrize(
    "name", [".env.example", ".env.sample", "environment.py", "credentials.py"]
)
def test_files_that_show_how_to_write_one_are_not(name: str) -> None:
    assert list(leaks(f"ops/{name}", b"API_TOKEN=your-token-goes-here")) == []


@given(
    st.binary(min_size=24, max_size=48),
    st.sampled_from(["api_key", "PASSWORD", "authToken", "x-secret"]),
)
def test_a_random_value_of_a_telling_name_is_found_in_every_notation(raw: bytes, name: str) -> None:
    value = base64.urlsafe_b64encode(random.Random(raw).randbytes(30)).decode()
    if entropy(value) < 3.5:
        return
    for file, line in (
        ("a.py", f'{name} = "{value}"'),
        ("a.py", f"os.environ['{name}'] = b'{value}'".replace("['", "_").replace("']", "")),
        ("a.json", f'"{name}": "{value}",'),
        ("a.yaml", f"{name}: {value}"),
        ("a.ini", f"{name}={value}"),
    ):
        assert [one.rule for one in leaks(file, line.encode())] == ["assignment"], line


@pytest.mark.parametrize(
    "line",
    [
        'token = os.environ["SERVICE_TOKEN_OF_PRODUCTION"]',
        'password = "change-me-before-first-use"',
        'secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"',
        'secret = "projects/example/secrets/db/versions/latest"',
        'api_key = "https://vault.example.com/v1/secret/data/prod"',
        'token = "${SERVICE_TOKEN_OF_PRODUCTION}"',
        'token_file = "/run/secrets/service-token"',
        'password = "correct-horse-battery-staple"',
        'token_pattern = "[A-Za-z0-9+/]{40}"',
        'access_key = "AKIA' + 'IOSFODNN7EXAMPLE"',
        "secret: str = field(default_factory=some_function_of_ours)",
        'password_field = "current_password_input"',
        'token = "aaaaaaaaaaaaaaaaaaaaaaaa"',
        'digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"',
    ],
)
def test_names_references_and_placeholders_are_not_secrets(line: str) -> None:
    assert list(leaks("ops/a.py", line.encode())) == []


def test_crosswind_s_own_code_holds_none() -> None:
    root = Path(__file__).parents[3]
    for file in sorted((*(root / "core").rglob("*.py"), *(root / "handlers").rglob("*.py"))):
        assert list(leaks(file.name, file.read_bytes())) == [], file


def project(folder: Path, **rules: tuple[str, ...]) -> Project:
    return Project(folder, Rules(**rules), Faults())


def test_what_is_found_is_said_with_file_and_line_and_never_shown(tmp_path: Path) -> None:
    secret = secrets.token_urlsafe(30)
    faults = Faults()
    files = {"ops/a.py": f'x = 1\nAPI_TOKEN = "{secret}"\n'.encode(), "ops/.env": b"A=1"}
    check_leaks(files, {"ops/a.py": "src/ops/a.py"}, project(tmp_path), faults)
    with pytest.raises(PackagingFailed) as failed:
        faults.check()
    assert [one.where for one in failed.value.faults] == ["ops/.env", "src/ops/a.py:2"]
    assert secret not in str(failed.value)
    assert "--not-secret" in str(failed.value)


def test_a_file_that_the_project_calls_harmless_is_not_looked_at(tmp_path: Path) -> None:
    faults = Faults()
    named = project(tmp_path, not_secret=("ops/certs/*.pem",))
    content = SECRETS["private-key"][0].encode()
    check_leaks({"ops/certs/a.pem": content, "ops/b.pem": content}, {}, named, faults)
    with pytest.raises(PackagingFailed) as failed:
        faults.check()
    assert [one.where for one in failed.value.faults] == ["ops/b.pem:1"]


def test_a_hostile_file_is_read_in_bounded_time() -> None:
    nasty = b"token=" * 50_000 + b"\n" + (b"secret" * 300 + b"\n") * 500
    assert list(leaks("a.py", nasty)) == []
    late = b"\n" * MOST_BYTES + SECRETS["private-key"][0].encode()
    assert list(leaks("a.py", late)) == []


def test_every_rule_is_documented() -> None:
    from crosswind.packaging import leaks as module

    documented = set(re.findall(r"^\| ([\w-]+) +\|", module.__doc__ or "", re.MULTILINE))
    assert documented - {"rule"} == {"file", "assignment", *SECRETS}
