"""The project that each test gets."""

import re

import pytest

from crosswind_local.pytest_plugin import project_id


@pytest.mark.parametrize("test", ["test_it", "test_ü[a/b]", "", "x" * 200, "test_" + "_" * 40])
def test_a_project_id_is_valid_whatever_the_name_of_the_test(test: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", project_id(test, 12_345))


def test_two_tests_of_one_name_have_two_projects() -> None:
    assert project_id("test_it", 1) != project_id("test_it", 2)
