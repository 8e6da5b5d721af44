"""The note beside weighted records holds epoch, key and shares exactly, and fits a TXT record."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind_aws.performers.route53 import HEAVIEST, Note, heaviness

REGIONS = st.from_regex(r"(aws|gcp|azure)/[a-z0-9-]{1,40}", fullmatch=True)
SHARES = st.floats(0, 1, allow_nan=False)
NOTES = st.builds(
    Note,
    st.integers(0, 10**12),
    st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    st.dictionaries(REGIONS, SHARES, max_size=64),
)


@given(NOTES)
@settings(max_examples=150)
def test_a_note_is_read_as_it_was_written(note: Note) -> None:
    assert Note.of(note.strings()) == note


@given(NOTES)
@settings(max_examples=150)
def test_no_string_of_it_is_longer_than_a_txt_record_takes(note: Note) -> None:
    strings = re.findall(r'"([^"]*)"', note.strings())

    assert all(0 < len(string) <= 255 for string in strings)
    assert " ".join(f'"{string}"' for string in strings) == note.strings()
    assert len(note.strings()) <= 4_000


@pytest.mark.parametrize(
    "value",
    [
        '"v=spf1 -all"',
        '""',
        '"crosswind=1"',
        '"crosswind=2 epoch=1 key=k"',
        '"crosswind=1 epoch=x key=k"',
    ],
)
def test_another_s_record_is_no_note(value: str) -> None:
    assert Note.of(value) is None


@given(SHARES)
def test_a_weight_is_within_bounds_and_near_its_share(share: float) -> None:
    weight = heaviness(share)

    assert 0 <= weight <= HEAVIEST
    assert (weight == 0) == (share == 0)
    assert abs(weight / HEAVIEST - share) <= 1 / HEAVIEST
