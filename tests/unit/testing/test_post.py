"""A bus in slow motion: the test sees every letter and decides which goes next."""

from __future__ import annotations

import pytest

from crosswind.errors import NotAccepted
from crosswind.ports import Message
from crosswind.testing import Post
from unit.testing.valve import app


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def post(clock: Clock) -> Post:
    return Post([app()], clock, max_receipts=2)


def message(name: str, due: float | None = None, **attributes: str) -> Message:
    return Message(name, b"{}", {"id": name, "type": "com.example.asked.v1", **attributes}, due)


def ids(post: Post) -> list[str]:
    return [letter.id for letter in post.due()]


def test_letters_are_due_in_the_order_of_their_time(post: Post, clock: Clock) -> None:
    post.publish([message("b", 5.0), message("a"), message("c", 3.0)])
    assert ids(post) == ["a"]
    clock.now = 9.0
    assert ids(post) == ["a", "c", "b"]


def test_an_event_that_nobody_wants_goes_nowhere_and_an_addressed_one_to_its_group(
    post: Post,
) -> None:
    post.publish([message("a", type="com.example.other.v1"), message("b", group="other")])
    assert [(letter.id, letter.group) for letter in post.due()] == [("b", "other")]
    assert [one.id for one in post.published] == ["a", "b"]


def test_what_was_taken_out_comes_back_unless_it_is_acknowledged(post: Post, clock: Clock) -> None:
    post.publish([message("a"), message("b")])
    for letter in post.due():
        assert post.take(letter, 10.0).receipts == 1
    assert post.due() == []
    post.acknowledge(post.letters[0])
    assert post.next_due() == 10.0
    clock.now = 10.0
    assert ids(post) == ["b"]
    post.hand_back(post.letters[0], 5.0)
    assert post.next_due() == 15.0


def test_what_was_taken_out_too_often_is_dead(post: Post, clock: Clock) -> None:
    post.publish([message("a")])
    (letter,) = post.due()
    for _ in range(2):
        post.take(letter, 0.0)
    assert not letter.dead
    post.take(letter, 0.0)
    assert letter.dead


def test_a_letter_may_be_delivered_again_after_it_was_acknowledged(post: Post) -> None:
    post.publish([message("a")])
    (letter,) = post.due()
    post.take(letter, 10.0)
    post.acknowledge(letter)
    post.acknowledge(letter)
    again = post.duplicate(post.sent[0])
    assert again.copy
    assert ids(post) == ["a"]
    assert again.number != letter.number


def test_what_no_bus_would_take_is_refused_by_name(post: Post) -> None:
    with pytest.raises(NotAccepted) as refused:
        post.publish([message("a"), Message("b", b"{}", {})])
    assert [one.id for one in refused.value.messages] == ["b"]
    assert ids(post) == ["a"]
    assert post.next_due() == 0.0
