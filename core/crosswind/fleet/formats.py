"""YAML and JSON, read into documents that remember the line of every value.

Both are read as a flat stream of tokens: PyYAML's C composer recurses on the machine's stack and
crashes the process on deeply nested input. Scalars of YAML follow the 1.2 core schema, in which
`NO` is a text (the country) and not a boolean; tags are faults.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final

from crosswind.fleet.documents import MAX_DEPTH, MAX_VALUES, Builder, Document, DocumentError

_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,40}")
_FLOAT: Final = re.compile(
    r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,3})?"
)
_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\],:"]+')


def read_json(text: str) -> Document:
    """Read a JSON document.

    Raises:
        DocumentError: it is not JSON, or beyond the bounds.
    """
    repeats = False

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeats
        made = dict(found)
        repeats = repeats or len(made) < len(found) or "<<" in made
        return made

    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        raise DocumentError(f"the document is not valid JSON: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise DocumentError(f"the document is nested more than {MAX_DEPTH} levels deep") from error
    except ValueError as error:
        raise DocumentError(f"the document is not valid JSON: {error}") from error
    # Finding lines costs twenty times what reading does; most documents have no fault.
    locate = cache(lambda: _located(text))
    return locate() if repeats or not _bounded(value) else Document.unlocated(value, locate)


def _bounded(value: Any) -> bool:
    """Whether a value keeps the bounds of depth and size."""
    level, count = [value], 1
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        count += len(level)
        if not level or count > MAX_VALUES:
            break
    return not level and count <= MAX_VALUES


def _located(text: str) -> Document:
    """A document of valid JSON, with its lines, read as a flat stream of tokens."""
    builder = Builder()
    line, position = 1, 0
    for found in _TOKEN.finditer(text):
        part = found[0]
        line += text.count("\n", position, found.start())
        position = found.start()
        if part == "{":
            builder.begin({}, line, None)
        elif part == "[":
            builder.begin([], line, None)
        elif part in "}]":
            builder.end()
        else:
            value = json.loads(part)
            builder.scalar(value if isinstance(value, str) else part, value, line)
    return builder.document()


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


def read_yaml(text: str) -> Document:
    """Read a YAML document.

    Raises:
        DocumentError: it is not YAML, or beyond the bounds.
        ImportError: PyYAML is not installed; names the extra that brings it.
    """
    try:
        import yaml
    except ModuleNotFoundError as error:
        if error.name != "yaml":
            raise
        raise ImportError(
            "reading YAML needs PyYAML: pip install 'crosswind[cli]', or write the fleet as JSON",
            name="yaml",
        ) from error
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = Builder()
    try:
        for event in yaml.parse(text, Loader=loader):
            _feed(builder, event)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DocumentError(f"the document is not valid YAML: {error.problem}", line) from error
    except yaml.YAMLError as error:
        raise DocumentError(f"the document is not valid YAML: {error}") from error
    return builder.document()


def _feed(builder: Builder, event: Any) -> None:
    """One event of PyYAML's parser, told by the name of its class so that the import stays lazy."""
    kind = type(event).__name__
    line = event.start_mark.line + 1
    if getattr(event, "tag", None) is not None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        builder.fault(line, f"the tag {tag} is not supported; quote what is a text")
    if kind == "ScalarEvent":
        value = event.value if event.style else _plain(event.value)
        builder.scalar(event.value, value, line, event.anchor)
    elif kind == "MappingStartEvent":
        builder.begin({}, line, event.anchor)
    elif kind == "SequenceStartEvent":
        builder.begin([], line, event.anchor)
    elif kind in ("MappingEndEvent", "SequenceEndEvent"):
        builder.end()
    elif kind == "AliasEvent":
        builder.alias(event.anchor, line)
    elif kind == "DocumentStartEvent":
        builder.start(line)


def _plain(text: str) -> Any:
    """A plain scalar by the YAML 1.2 core schema, decimal numbers only."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
