"""Whatever AWS answers, a person is told one clear thing, and nothing runs on for ever."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError, ProfileNotFound

from crosswind_aws.adopt.asking import NotRead, answered, unread
from crosswind_aws.adopt.rights import RIGHTS, policy
from unit.aws.adopt.stubs import Stubs, until_refused


def keys(*names: str) -> list[dict[str, str]]:
    return [{"KeyId": name} for name in names]


def test_all_pages_are_read() -> None:
    with Stubs() as stubs:
        page = {"Keys": keys("a"), "Truncated": True, "NextMarker": "m"}
        stubs.answers("kms", "list_keys", page, {})
        stubs.answers("kms", "list_keys", {"Keys": keys("b")}, {"Marker": "m"})
        found = [one["KeyId"] for one in stubs.asker().pages("kms", "ListKeys", "Keys")]
    assert found == ["a", "b"]


def test_what_came_before_a_refusal_is_kept() -> None:
    with Stubs() as stubs:
        page = {"Keys": keys("a"), "Truncated": True, "NextMarker": "m"}
        stubs.answers("kms", "list_keys", page)
        stubs.refuses("kms", "list_keys", "AccessDeniedException")
        found, error = until_refused(stubs.asker().pages("kms", "ListKeys", "Keys"))
    assert [one["KeyId"] for one in found] == ["a"]
    assert error.needs == "kms:ListKeys"


def test_an_endless_list_is_cut_and_that_is_said() -> None:
    with Stubs() as stubs:
        stubs.answers("kms", "list_keys", {"Keys": keys("a", "b", "c")})
        pages = stubs.asker().pages("kms", "ListKeys", "Keys", most=2)
        assert [next(pages)["KeyId"], next(pages)["KeyId"]] == ["a", "b"]
        with pytest.raises(NotRead, match="more than 2; the others were left out"):
            next(pages)


def test_after_the_time_nothing_is_asked() -> None:
    with Stubs() as stubs, pytest.raises(NotRead, match="the time was over"):
        stubs.asker(within=-1).ask("sts", "GetCallerIdentity")


def test_what_is_not_in_the_table_of_rights_cannot_be_asked() -> None:
    with Stubs() as stubs, pytest.raises(KeyError):
        stubs.asker().ask("secretsmanager", "GetSecretValue", SecretId="chat")


@pytest.mark.parametrize(
    ("code", "says", "needs"),
    [
        ("AccessDenied", "these credentials may not", "kms:ListKeys"),
        ("UnauthorizedOperation", "these credentials may not", "kms:ListKeys"),
        ("ThrottlingException", "asked for patience too often", ""),
        ("UnrecognizedClientException", "does not know these credentials", ""),
        ("SubscriptionRequiredException", "support plan does not include it", ""),
        ("Strange", "AWS answered Strange: no", ""),
    ],
)
def test_each_refusal_says_what_it_means(code: str, says: str, needs: str) -> None:
    with Stubs() as stubs:
        stubs.refuses("kms", "list_keys", code)
        with pytest.raises(NotRead, match=says) as refused:
            stubs.asker().ask("kms", "ListKeys")
    assert refused.value.needs == needs


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoCredentialsError(), "sign in"),
        (ConnectTimeoutError(endpoint_url="https://example.com"), "no answer that can be read"),
        (ProfileNotFound(profile="nobody"), "AWS cannot be asked: .*nobody"),
    ],
)
def test_each_failure_of_the_sdk_says_what_it_means(error: Exception, says: str) -> None:
    with pytest.raises(NotRead, match=says), answered("kms:ListKeys"):
        raise error


def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), answered(""):
        raise ZeroDivisionError


def test_a_missing_right_is_one_line() -> None:
    error = NotRead("these credentials may not", "kms:ListKeys")
    assert str(unread("keys", "us-east-1", error)) == (
        "keys in aws/us-east-1 not read: these credentials may not; it needs kms:ListKeys"
    )
    assert str(unread("budgets", "", NotRead("busy"))) == "budgets not read: busy"


def test_the_policy_grants_reading_alone() -> None:
    (statement,) = policy()["Statement"]
    actions: list[str] = statement["Action"]
    assert statement["Effect"] == "Allow"
    assert actions == sorted({right for right in RIGHTS.values() if right})
    for action in actions:
        _, _, name = action.partition(":")
        assert name.startswith(("Describe", "List", "View", "GetKeyRotationStatus"))
        assert "*" not in action
    assert not any("SecretValue" in action or "Decrypt" in action for action in actions)


@pytest.mark.parametrize("asked", RIGHTS, ids=".".join)
def test_every_question_is_one_that_the_sdk_knows(asked: tuple[str, str]) -> None:
    service, operation = asked
    model: Any = Stubs().session.get_service_model(service)
    assert operation in model.operation_names
