"""What every performer of secrets and of keys promises; inherited by one test class per service.

As in `performers`, a test class supplies the performer, and looks at the service past it.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any

import pytest

from contract.performers import TIMEOUT, PerformerContract, call, finished, performed, retried
from crosswind.actions import Performer
from crosswind.errors import CrosswindError
from crosswind.operations.keys import DisableKey, EnableKey, KeyState, KeyStatus, RotateKey
from crosswind.operations.secrets import (
    Promoted,
    PromoteSecret,
    RenewSecret,
    Retired,
    RetireSecret,
    SecretState,
    SecretVersions,
)

VALUE = "correct-horse-battery-staple"
"""What `issuing` makes of every secret."""

SECRET = "chat-api"
RENEW = RenewSecret(secret=SECRET)

KEY = "chat"
ROTATION = RotateKey(key=KEY)


class SecretContract(PerformerContract):
    """Specification of performers of `secret.*`.

    Attributes:
        first: the version of the secret that is current when a test begins.
    """

    first: str

    @pytest.fixture
    @abstractmethod
    def issuing(self) -> Performer:
        """A performer to which `VALUE` is issued for every new version."""

    @abstractmethod
    def current(self) -> str:
        """The value that consumers of the secret get."""

    @abstractmethod
    def value(self, version: str) -> str:
        """The value of a version."""

    @abstractmethod
    def makes(self) -> int:
        """How many versions the service was asked to make."""

    @abstractmethod
    def moves(self) -> int:
        """How often the service was asked to make another version current."""

    @abstractmethod
    def lose_answer(self, made: bool) -> None:
        """Let the answer to the next making, or else moving, be lost after it was done."""

    @abstractmethod
    def change_by_hand(self, value: str) -> str:
        """Make a new version current past the performer; returns it."""

    def state(self, performer: Performer) -> SecretState:
        """The versions, as the performer tells of them."""
        found = performer.answer(SecretVersions(secret=SECRET), TIMEOUT)
        assert isinstance(found, SecretState)
        return found

    def promote(self, version: str, over: str) -> PromoteSecret:
        """Make one version current in the place of another."""
        return PromoteSecret(secret=SECRET, version=version, over=over)

    def test_a_new_version_is_pending_and_nobody_uses_it_yet(self, issuing: Performer) -> None:
        before = self.current()

        made = performed(issuing, RENEW, call())

        assert self.state(issuing).of("pending") == made.version
        assert self.state(issuing).of("current") == self.first
        assert self.value(made.version) == VALUE
        assert self.current() == before

    def test_a_value_that_nobody_issues_is_random_and_long(self, performer: Performer) -> None:
        first, second = (self.value(performed(performer, RENEW, call()).version) for _ in range(2))

        assert len(first) >= 40
        assert first != second

    def test_the_same_key_twice_is_one_version_with_the_same_answer(
        self, performer: Performer
    ) -> None:
        given = call()
        first = performed(performer, RENEW, given)
        value, before = self.value(first.version), self.makes()

        second = performed(performer, RENEW, given)

        assert second == first
        assert self.makes() == before
        assert self.value(first.version) == value

    def test_an_answer_that_was_lost_is_found_by_the_retry(self, performer: Performer) -> None:
        before = self.makes()
        self.lose_answer(made=True)

        made = retried(performer, RENEW, call())

        assert self.state(performer).of("pending") == made.version
        assert self.makes() == before + 1

    def test_a_promoted_version_is_current_and_the_other_previous(self, issuing: Performer) -> None:
        made = performed(issuing, RENEW, call())

        done = performed(issuing, self.promote(made.version, self.first), call())

        assert done == Promoted(promoted=True, current=made.version)
        assert self.state(issuing).of("previous") == self.first
        assert self.current() == VALUE

    def test_it_can_be_taken_back(self, performer: Performer) -> None:
        before = self.current()
        made = performed(performer, RENEW, call())
        performed(performer, self.promote(made.version, self.first), call())

        back = performed(performer, self.promote(self.first, made.version), call())

        assert back.current == self.first
        assert self.current() == before

    def test_promoted_twice_by_the_same_key_it_is_moved_once(self, performer: Performer) -> None:
        made, given = performed(performer, RENEW, call()), call()
        first = performed(performer, self.promote(made.version, self.first), given)

        second = performed(performer, self.promote(made.version, self.first), given)

        assert second == first
        assert self.moves() == 1

    def test_a_lost_answer_to_a_promotion_is_found_by_the_retry(self, performer: Performer) -> None:
        made = performed(performer, RENEW, call())
        self.lose_answer(made=False)

        done = retried(performer, self.promote(made.version, self.first), call())

        assert done == Promoted(promoted=True, current=made.version)
        assert self.moves() == 1

    def test_a_version_is_not_promoted_over_one_that_nobody_decided_on(
        self, performer: Performer
    ) -> None:
        made = performed(performer, RENEW, call())
        other = self.change_by_hand("by hand")

        done = performed(performer, self.promote(made.version, self.first), call())

        assert (done.promoted, done.current) == (False, other)
        assert self.current() == "by hand"

    def test_a_version_that_is_not_there_is_not_found(self, performer: Performer) -> None:
        with pytest.raises(CrosswindError, match="00000000"):
            performer.perform(self.promote("00000000-0000-0000-0000-000000000000", "x"), call())

    def test_a_retired_version_is_out_of_use_however_often_it_is_asked_for(
        self, performer: Performer
    ) -> None:
        made, given = performed(performer, RENEW, call()), call()
        performed(performer, self.promote(made.version, self.first), call())
        retire = RetireSecret(secret=SECRET, version=self.first)

        first = performed(performer, retire, given)
        again = performed(performer, retire, given)

        assert first == again == Retired(retired=True)
        assert self.state(performer).of("previous") is None
        assert self.state(performer).of("current") == made.version

    def test_the_current_version_is_never_retired(self, performer: Performer) -> None:
        before = self.current()

        done = performed(performer, RetireSecret(secret=SECRET, version=self.first), call())

        assert not done.retired
        assert self.current() == before

    def test_no_answer_holds_a_value(self, issuing: Performer) -> None:
        made = performed(issuing, RENEW, call())
        promoted = performed(issuing, self.promote(made.version, self.first), call())

        told: list[Any] = [made, promoted, self.state(issuing)]
        assert VALUE not in json.dumps([one.model_dump(mode="json") for one in told])

    def test_a_secret_that_nobody_declared_is_not_found(self, performer: Performer) -> None:
        with pytest.raises(CrosswindError, match="nothing-here"):
            performer.perform(RenewSecret(secret="nothing-here"), call())


class KeyContract(PerformerContract):
    """Specification of performers of `key.*`."""

    @abstractmethod
    def rotations(self) -> int:
        """How often the service has rotated the key on demand."""

    @abstractmethod
    def enabled(self) -> bool:
        """Whether the service lets the key be used."""

    @abstractmethod
    def turns(self) -> int:
        """How often the service was asked to disable the key."""

    @abstractmethod
    def lose_answer(self) -> None:
        """Let the answer to the next rotation be lost, after it was done."""

    def test_a_key_is_rotated(self, performer: Performer) -> None:
        done = finished(performer, ROTATION, call())

        assert (done.enabled, done.rotations) == (True, 1)
        assert done.rotated is not None
        assert self.rotations() == 1

    def test_the_same_key_twice_is_one_rotation_with_the_same_answer(
        self, performer: Performer
    ) -> None:
        given = call()
        first = finished(performer, ROTATION, given)

        second = finished(performer, ROTATION, given)

        assert second == first
        assert self.rotations() == 1

    def test_another_action_rotates_again(self, performer: Performer) -> None:
        finished(performer, ROTATION, call())
        finished(performer, ROTATION, call())

        assert self.rotations() == 2

    def test_an_answer_that_was_lost_is_found_by_the_retry(self, performer: Performer) -> None:
        self.lose_answer()

        done = retried(performer, ROTATION, call())

        assert done.rotations == 1
        assert self.rotations() == 1

    def test_a_key_is_disabled_and_enabled_again(self, performer: Performer) -> None:
        off = performed(performer, DisableKey(key=KEY), call())
        seen = performer.answer(KeyStatus(key=KEY), TIMEOUT)
        assert off == seen == KeyState(key=KEY, enabled=False, state="disabled")
        assert not self.enabled()

        on = performed(performer, EnableKey(key=KEY), call())

        assert on == KeyState(key=KEY, enabled=True, state="enabled")
        assert self.enabled()

    def test_a_key_that_is_disabled_already_is_left_so(self, performer: Performer) -> None:
        given = call()
        first = performed(performer, DisableKey(key=KEY), given)

        second = performed(performer, DisableKey(key=KEY), given)

        assert second == first
        assert self.turns() == 1

    def test_a_key_that_nobody_declared_is_not_found(self, performer: Performer) -> None:
        with pytest.raises(CrosswindError, match="nothing-here"):
            performer.perform(RotateKey(key="nothing-here"), call())
