"""Keys of KMS keep the contract of keys, on moto."""

from __future__ import annotations

import json

import pytest

from contract.performers import call
from contract.performers_keys import KEY, ROTATION, KeyContract
from contract.proxy import Lose, Say
from crosswind.actions import Pending, Performer
from crosswind.operations.keys import DisableKey
from crosswind_aws.performers.failures import NotFound, Refused, Short
from crosswind_aws.performers.kms import KeyPerformer
from crosswind_aws.performers.resources import Resources
from integration.aws.performers.conftest import Direct
from integration.aws.performers.wire import Wire, json_error

ROTATE = "RotateKeyOnDemand"


class TestKeys(KeyContract):
    @pytest.fixture(autouse=True)
    def key(self, moto_wire: Wire, moto_direct: Direct) -> str:
        self.wire, self.kms = moto_wire, moto_direct("kms")
        self.arn = str(self.kms.create_key()["KeyMetadata"]["Arn"])
        return self.arn

    @pytest.fixture
    def performer(self, key: str) -> Performer:
        return KeyPerformer(Resources.read({"keys": {KEY: key}}))

    def rotations(self) -> int:
        return len(self.kms.list_key_rotations(KeyId=self.arn)["Rotations"])

    def enabled(self) -> bool:
        return bool(self.kms.describe_key(KeyId=self.arn)["KeyMetadata"]["Enabled"])

    def turns(self) -> int:
        return self.wire.count("DisableKey")

    def lose_answer(self) -> None:
        self.wire.strike(ROTATE, Lose())

    # -- what is of KMS alone ---------------------------------------------------------------------

    def test_a_rotation_in_progress_is_waited_for_and_not_asked_for_again(
        self, performer: Performer
    ) -> None:
        told = {"KeyRotationEnabled": False, "OnDemandRotationStartDate": 1_800_000_000}
        headers = (("Content-Type", "application/x-amz-json-1.1"),)
        self.wire.strike("GetKeyRotationStatus", Say(200, json.dumps(told).encode(), headers))

        answer = performer.perform(ROTATION, call())

        assert isinstance(answer, Pending)
        assert self.wire.count(ROTATE) == 0

    def test_a_conflict_with_a_rotation_in_progress_is_pending(self, performer: Performer) -> None:
        self.wire.strike(ROTATE, json_error("ConflictException"))

        assert isinstance(performer.perform(ROTATION, call()), Pending)

    def test_a_key_that_was_rotated_as_often_as_it_may_be_says_so(
        self, performer: Performer
    ) -> None:
        self.wire.strike(ROTATE, json_error("LimitExceededException"))

        with pytest.raises(Short, match="LimitExceeded"):
            performer.perform(ROTATION, call())

    def test_a_key_that_cannot_be_rotated_is_refused_for_good(self, performer: Performer) -> None:
        self.wire.strike(ROTATE, json_error("UnsupportedOperationException"))

        with pytest.raises(Refused, match="UnsupportedOperation"):
            performer.perform(ROTATION, call())

    def test_throttled_it_is_pending_and_no_failure(self, performer: Performer) -> None:
        self.wire.strike("DisableKey", json_error("ThrottlingException"), times=9)

        assert isinstance(performer.perform(DisableKey(key=KEY), call()), Pending)

    def test_a_key_that_is_gone_is_not_found(self) -> None:
        gone = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
        performer = KeyPerformer(Resources.read({"keys": {KEY: gone}}))

        with pytest.raises(NotFound, match="NotFoundException"):
            performer.perform(ROTATION, call())
