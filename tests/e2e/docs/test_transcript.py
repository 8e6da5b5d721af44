"""What counts as the same output, and what does not."""

from __future__ import annotations

import pytest

from e2e.docs.transcript import Ids, agrees

SHOWN = """\
08:40:14.790 323ba64f region.unhealthy  hear_unhealthy committed -> failover.confirmed
chain 323ba64f ended after 1.1 s: completed
"""
PRINTED = """\
23:01:00.001 0a1b2c3d region.unhealthy  hear_unhealthy committed -> failover.confirmed
chain 0a1b2c3d ended after 850 ms: completed
"""


def test_ids_and_times_may_differ() -> None:
    assert agrees(SHOWN, PRINTED, Ids())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hear_unhealthy", "hear_recovered"),
        ("committed", "retrying"),
        (" -> failover.confirmed", ""),
        ("completed", "completed\nand more"),
        ("ended after 850 ms", "ended"),
    ],
)
def test_words_may_not(old: str, new: str) -> None:
    assert not agrees(SHOWN, PRINTED.replace(old, new), Ids())


def test_an_id_stands_for_the_same_id_everywhere() -> None:
    other = PRINTED.replace("chain 0a1b2c3d", "chain 99999999")
    assert not agrees(SHOWN, other, Ids())
    known = Ids()
    assert agrees(SHOWN, PRINTED, known)
    assert not agrees("chain 323ba64f", "chain 99999999", known)


def test_a_later_command_names_what_an_earlier_one_printed() -> None:
    known = Ids()
    whole = "5ea1f0c2-0000-5000-8000-000000000001"
    assert agrees("chain 323ba64f-e3bd-552b-a700-0ddb5aceb029", f"chain {whole}", known)
    assert known.put_into("crosswind trace 323ba64f") == "crosswind trace 5ea1f0c2"
    assert known.put_into("crosswind trace 11111111") == "crosswind trace 11111111"
    assert known.taken_out_of("and trace 5ea1f0c2") == "and trace 323ba64f"


def test_dots_stand_for_anything_between() -> None:
    assert agrees("first\n...\nlast", "first\nsecond\nthird\nlast", Ids())
    assert not agrees("first\n...\nlast", "first\nsecond\nthird", Ids())


def test_blanks_and_line_breaks_do_not_matter() -> None:
    assert agrees("a table\n ──\n one  two", "a  table\n ─────\none\n two\n", Ids())
    assert not agrees("one two", "onetwo", Ids())


def test_a_page_with_many_gaps_is_refused_in_no_time() -> None:
    shown = "\n...\n".join(f"line {number} of 12345678" for number in range(40)) + "\nend"
    printed = "\n".join(f"line {number} of abcdef12\nand more" for number in range(40)) + "\nnot"
    # Were each gap tried anew for each place of the others, this would not end.
    assert not agrees(shown, printed, Ids())
    assert agrees(shown, printed.replace("and more\nnot", "end"), Ids())
