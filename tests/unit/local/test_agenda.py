"""The lazy agenda."""

from hypothesis import given
from hypothesis import strategies as st

from crosswind_local.agenda import Agenda


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=80))
def test_live_items_fall_due_in_order_and_stale_ones_are_passed_over(
    noted: list[tuple[int, bool]],
) -> None:
    live = {index for index, (_, kept) in enumerate(noted) if kept}
    agenda: Agenda[int] = Agenda(lambda when, index: index in live)
    for index, (when, _) in enumerate(noted):
        agenda.add(when, index)
    expected = sorted((when, index) for index, (when, kept) in enumerate(noted) if kept)
    assert agenda.next_due() == (expected[0][0] if expected else None)
    early = [index for when, index in expected if when <= 25]
    assert list(agenda.due(25)) == early
    assert list(agenda.due(50)) == [index for _, index in expected][len(early) :]


def test_its_size_follows_the_live_items() -> None:
    live: set[int] = set()
    agenda: Agenda[int] = Agenda(lambda when, index: index in live)
    for index in range(20_000):
        live.add(index)
        agenda.add(index, index)
        if index >= 10:
            live.discard(index - 10)
            agenda.forget()
    assert len(agenda) < 1_000
    assert list(agenda.due(1e9)) == list(range(19_990, 20_000))
