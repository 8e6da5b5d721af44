"""Every contestant of the figures of AWS does its work on the emulator; nothing here is timed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from bench.aws.estate import RECORDS, Estate, estate, variables
from bench.aws.hops import HOPS, Hopping, Kind
from bench.contestants import Serving


@pytest.fixture(scope="module")
def laid() -> Iterator[Estate]:
    """An account as the bench lays it out."""
    with estate() as made:
        yield made


def count(laid: Estate, table: str) -> int:
    with variables(laid.environ):
        items: Any = boto3.client("dynamodb").scan(TableName=table, Select="COUNT")
    return int(items["Count"])


@pytest.mark.parametrize(
    ("options", "items"),
    [
        ({"says": False}, 3),
        ({"says": False, "batch": 3}, 9),
        ({"says": True}, 3),
        ({"again": True}, 3),
    ],
)
def test_our_function_writes_one_item_for_each_record(
    laid: Estate, options: dict[str, Any], items: int
) -> None:
    with Serving("bench.ours.aws_function", environ=dict(laid.environ), **options) as ours:
        before = count(laid, "crosswind")
        assert ours.work(3).wall > 0
        assert count(laid, "crosswind") == before + items


@pytest.mark.parametrize("options", [{}, {"again": True}, {"says": True}])
def test_powertools_keeps_a_record_of_each_event(laid: Estate, options: dict[str, Any]) -> None:
    with Serving("bench.peers.powertools_table", environ=dict(laid.environ), **options) as peer:
        before = count(laid, RECORDS)
        assert peer.work(3).wall > 0
        assert count(laid, RECORDS) == before + 3


def test_the_bare_client_writes_as_many(laid: Estate) -> None:
    with Serving("bench.ours.aws_bare", environ=dict(laid.environ)) as bare:
        before = count(laid, "bare")
        assert bare.work(3).wall > 0
        assert count(laid, "bare") == before + 3


@pytest.mark.parametrize("kind", ["ours", "bare", "line"])
def test_a_chain_lands_after_its_hops(laid: Estate, kind: Kind) -> None:
    with Hopping(kind, laid.environ) as hopping:
        assert hopping.work(1).wall > 0
    if kind == "ours":
        # Each hop is journaled; beside them are the chain's head and its line in the index.
        assert count(laid, "hops-ours") == HOPS + 2


def test_variables_are_as_before_when_nobody_needs_them(tmp_path: Path) -> None:
    assert "BENCH_TRIED" not in os.environ
    with variables({"BENCH_TRIED": "1", "HOME": str(tmp_path)}):
        assert os.environ["BENCH_TRIED"] == "1"
    assert "BENCH_TRIED" not in os.environ
    assert os.environ["HOME"] != str(tmp_path)
