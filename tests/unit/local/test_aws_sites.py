"""Where tests find AWS is said on purpose, never by accident."""

import re

import pytest

from crosswind_local import LocalCloudError
from crosswind_local.aws_sites import elsewhere


def test_a_stray_endpoint_or_profile_alone_points_nowhere() -> None:
    environ = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_PROFILE": "production"}

    assert elsewhere(environ) is None


def test_another_emulator_is_named_by_marker_and_endpoint() -> None:
    site = elsewhere({"CROSSWIND_TEST_AWS": "endpoint", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"})

    assert site is not None
    assert not site.is_real
    assert site.env("111122220001")["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert site.env("111122220001")["AWS_ACCESS_KEY_ID"] == "111122220001"


def test_a_real_account_keeps_the_environment_of_its_user() -> None:
    site = elsewhere({"CROSSWIND_TEST_AWS": "account", "AWS_PROFILE": "sandbox"})

    assert site is not None
    assert site.is_real
    assert site.env("111122220001") == {}


@pytest.mark.parametrize(
    ("environ", "advice"),
    [
        ({"CROSSWIND_TEST_AWS": "endpoint"}, "needs AWS_ENDPOINT_URL"),
        ({"CROSSWIND_TEST_AWS": "account", "AWS_ENDPOINT_URL": "http://x"}, "unset it"),
        ({"CROSSWIND_TEST_AWS": "localstack"}, "use ministack, endpoint or account"),
    ],
)
def test_a_contradiction_is_refused_with_what_to_set(environ: dict[str, str], advice: str) -> None:
    with pytest.raises(LocalCloudError, match=re.escape(advice)):
        elsewhere(environ)
