"""Versions of Secrets Manager keep the contract of secrets, and its errors tell no value."""

from __future__ import annotations

import traceback

import pytest
from pydantic import SecretStr

from contract.performers import call, performed
from contract.performers_keys import RENEW, SECRET, VALUE, SecretContract
from contract.proxy import Lose
from crosswind.actions import Pending, Performer
from crosswind.operations.secrets import RetireSecret
from crosswind_aws.performers.failures import Denied, Refused, Unreachable
from crosswind_aws.performers.resources import Resources
from crosswind_aws.performers.secrets_manager import SecretPerformer, version_of
from integration.aws.performers.conftest import Direct
from integration.aws.performers.wire import Wire, json_error

PUT = "PutSecretValue"
MOVE = "UpdateSecretVersionStage"
ID = "prod/chat/api"


class TestSecrets(SecretContract):
    @pytest.fixture(autouse=True)
    def secret(self, wire: Wire, direct: Direct) -> Resources:
        self.wire, self.manager = wire, direct("secretsmanager")
        made = self.manager.create_secret(Name=ID, SecretString="the first")
        self.first = str(made["VersionId"])
        return Resources.read({"secrets": {SECRET: made["ARN"]}})

    @pytest.fixture
    def performer(self, secret: Resources) -> Performer:
        return SecretPerformer(secret)

    @pytest.fixture
    def issuing(self, secret: Resources) -> Performer:
        return SecretPerformer(secret, lambda name: SecretStr(VALUE))

    def current(self) -> str:
        return str(self.manager.get_secret_value(SecretId=ID)["SecretString"])

    def value(self, version: str) -> str:
        told = self.manager.get_secret_value(SecretId=ID, VersionId=version)
        return str(told["SecretString"])

    def makes(self) -> int:
        return self.wire.count(PUT)

    def moves(self) -> int:
        return self.wire.count(MOVE)

    def lose_answer(self, made: bool) -> None:
        self.wire.strike(PUT if made else MOVE, Lose())

    def change_by_hand(self, value: str) -> str:
        return str(self.manager.put_secret_value(SecretId=ID, SecretString=value)["VersionId"])

    # -- what is of Secrets Manager alone ---------------------------------------------------------

    def test_the_id_of_a_version_is_made_from_the_key(self, performer: Performer) -> None:
        given = call()

        assert performed(performer, RENEW, given).version == version_of(given.key)

    def test_a_version_that_is_out_of_use_is_not_made_again_by_its_key(
        self, performer: Performer
    ) -> None:
        given = call()
        made = performed(performer, RENEW, given)
        performed(performer, RetireSecret(secret=SECRET, version=made.version), call())
        # As Secrets Manager answers where the same id has another value.
        self.wire.strike(PUT, json_error("ResourceExistsException"))

        assert performed(performer, RENEW, given) == made

    def test_of_two_that_race_one_is_promoted(self, performer: Performer) -> None:
        one, two = (performed(performer, RENEW, call()).version for _ in range(2))
        # The emulator lets both be pending; on AWS the elder one needs a stage to be kept.
        self.manager.update_secret_version_stage(
            SecretId=ID, VersionStage="spare", MoveToVersionId=one
        )
        self.wire.before(
            MOVE,
            lambda: self.manager.update_secret_version_stage(
                SecretId=ID,
                VersionStage="AWSCURRENT",
                MoveToVersionId=two,
                RemoveFromVersionId=self.first,
            ),
        )

        done = performed(performer, self.promote(one, self.first), call())

        assert (done.promoted, done.current) == (False, two)

    @pytest.mark.parametrize(
        "code",
        [
            "ValidationException",
            "AccessDeniedException",
            "InvalidRequestException",
            "InternalError",
        ],
    )
    def test_no_error_tells_a_value_that_was_sent(self, issuing: Performer, code: str) -> None:
        said = f"Value '{VALUE}' at 'secretString' failed to satisfy constraint"
        self.wire.strike(PUT, json_error(code, said))

        with pytest.raises((Refused, Denied, Unreachable)) as raised:
            issuing.perform(RENEW, call())

        told = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
        assert code in told
        assert VALUE not in told
        assert raised.value.__cause__ is None

    def test_throttled_it_is_pending_and_no_failure(self, performer: Performer) -> None:
        self.wire.strike(PUT, json_error("ThrottlingException"), times=9)

        assert isinstance(performer.perform(RENEW, call()), Pending)
