"""Whatever looks like a secret in what a project brings.

| rule          | looks for                                                                       |
|---------------|---------------------------------------------------------------------------------|
| file          | files that hold secrets by their name: `.env`, `id_rsa`, `*.p12`, `.netrc` ...  |
| private-key   | the first line of a private key in PEM, OpenSSH, PGP or PuTTY form              |
| cloud-key     | ids and keys of AWS, Google Cloud and Azure, by their fixed forms               |
| service-token | tokens of GitHub, GitLab, Slack, Stripe, npm, PyPI, OpenAI, Anthropic           |
| assignment    | a quoted or plain value of 16 characters or more, as random as a key (3.5 bits  |
|               | a character, 3 where it is hexadecimal), given to a name such as `token`,       |
|               | `password`, `api_key`                                                           |

Only the project's own files are looked at: what others publish in a wheel is no secret. The first
4 MB of a file are read. What is found is never shown. A file that is harmless is named by
`not-secret`, or with `--not-secret`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Final, NamedTuple

from crosswind.packaging.faults import Faults
from crosswind.packaging.project import Project

MOST_BYTES: Final = 4 << 20

_FILES: Final = (
    ".env", ".env.*", "*.env", ".netrc", "_netrc", ".pypirc", ".npmrc", ".git-credentials",
    "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.p12", "*.pfx", "*.jks", "*.keystore",
    "*.kdbx", "*.ppk", "credentials", "credentials.json", "service-account*.json",
    "terraform.tfstate", "*.tfvars",
)  # fmt: skip
_EXAMPLES: Final = (".env.example", ".env.sample", ".env.template", ".env.dist")

_FORMS: Final = (
    ("private-key", "the beginning of a private key", ("PRIVATE KEY", "PuTTY"), re.compile(
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d")),
    ("cloud-key", "an AWS access key id", ("AKIA", "ASIA"), re.compile(
        r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b")),
    ("cloud-key", "a Google API key", ("AIza",), re.compile(r"\bAIza[\w-]{35}\b")),
    ("cloud-key", "a Google OAuth secret", ("GOCSPX-",), re.compile(r"\bGOCSPX-[\w-]{28}\b")),
    ("cloud-key", "an Azure storage or bus key", ("AccountKey=", "SharedAccessKey="), re.compile(
        r"\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}={0,2}")),
    ("cloud-key", "an Azure client secret", ("8Q~",), re.compile(r"\b[\w~.-]{3}8Q~[\w~.-]{34}\b")),
    ("service-token", "a GitHub token", ("gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_"),
     re.compile(
        r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{22,}")),
    ("service-token", "a GitLab token", ("glpat-",), re.compile(r"\bglpat-[\w-]{20,}")),
    ("service-token", "a Slack token", ("xox",), re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}")),
    ("service-token", "a Stripe key", ("k_live_",), re.compile(r"\b[rs]k_live_[A-Za-z0-9]{20,}")),
    ("service-token", "an npm token", ("npm_",), re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")),
    ("service-token", "a PyPI token", ("pypi-",), re.compile(r"\bpypi-AgEIcHlwaS[\w-]{40,}")),
    ("service-token", "a key of a model provider", ("sk-",), re.compile(
        r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}")),
)  # fmt: skip

_ASSIGNED: Final = re.compile(
    r"""(?imx)
    (?:secret|token|passw(?:or)?d|passphrase|api_?-?key|access_?-?key|private_?-?key
      |credential|auth_?-?key)[\w.-]{0,40}+
    ["']?[ \t]{0,9}+(?::=|=|:)[ \t]{0,9}+
    (?:[rbuf]{0,2}(?P<quote>["'])(?P<quoted>[^"'\s]{16,400}+)(?P=quote)
       |(?P<plain>[A-Za-z0-9+/_=-]{16,400}+)[ \t\r]{0,9}$)
    """
)
"""Every repetition is bounded, so that a file of nothing but telling names takes no time."""

_HARMLESS: Final = re.compile(
    r"(?i)example|placeholder|changeme|change-me|redacted|dummy|your[-_]|<.*>|\$\{|\{\{|x{6,}|\*{4,}"
    r"|\[\S*(?:a-z|0-9)|^arn:|^https?://|^projects/|^(?:/[a-z_.-]+)+/?$|^[a-z_]+(?:\.[a-z_]+)+$"
)
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_WORDS: Final = re.compile(
    r"[a-z]+(?:[-_./:][a-z]+)+|[A-Z]+(?:[-_./:][A-Z]+)+|(?:[A-Z]?[a-z]{2,})+"
)
_CODE: Final = (".py", ".js", ".ts", ".go", ".java", ".rs")


class Leak(NamedTuple):
    """Something that looks like a secret; `line` is 0 for a whole file."""

    rule: str
    line: int
    what: str


def check_leaks(
    files: Mapping[str, bytes], origins: Mapping[str, str], project: Project, faults: Faults
) -> None:
    """Look through what a project brings."""
    for path in sorted(files):
        shown = origins.get(path, path)
        if project.is_harmless(shown):
            continue
        for leak in leaks(shown, files[path]):
            where = f"{shown}:{leak.line}" if leak.line else shown
            faults.add(
                "secret",
                where,
                f"looks like {leak.what} (rule {leak.rule})",
                "keep it in a secret store and hold a reference here; if it is none, name the "
                "file with --not-secret",
            )


def leaks(path: str, content: bytes) -> Iterator[Leak]:
    """What looks like a secret in one file; of one line only the first thing."""
    name = path.rpartition("/")[2]
    if name not in _EXAMPLES and any(fnmatch(name, pattern) for pattern in _FILES):
        yield Leak("file", 0, "a file that holds secrets, by its name")
        return
    text = content[:MOST_BYTES].decode("utf-8", "replace")
    found: dict[int, Leak] = {}
    for position, rule, what in _found(text, name.endswith(_CODE)):
        line = text.count("\n", 0, position) + 1
        found.setdefault(line, Leak(rule, line, what))
    yield from (found[line] for line in sorted(found))


def _found(text: str, code: bool) -> Iterator[tuple[int, str, str]]:
    """Position, rule and words of everything in a text."""
    for rule, what, hints, form in _FORMS:
        if not any(hint in text for hint in hints):
            continue
        for match in form.finditer(text):
            # Vendors end the keys in their documentation so.
            if not match[0].upper().endswith("EXAMPLE"):
                yield match.start(), rule, what
    for match in _ASSIGNED.finditer(text):
        value = match["quoted"] or ("" if code else match["plain"])
        if value and _is_random(value):
            yield match.start(), "assignment", "a secret that is written down"


def _is_random(value: str) -> bool:
    """Whether a value is as random as a key, and no word, path, address or placeholder."""
    if _HARMLESS.search(value) or _WORDS.fullmatch(value):
        return False
    return entropy(value) >= (3.0 if _HEX.fullmatch(value) else 3.5)


def entropy(value: str) -> float:
    """Shannon's entropy in bits a character."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())
