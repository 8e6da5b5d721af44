"""Secrets are given by reference and stay hidden."""

from __future__ import annotations

import boto3

from crosswind_aws.secrets import secret


def test_a_secret_is_read_by_name_and_does_not_show_itself(aws_module_account: str) -> None:
    boto3.client("secretsmanager").create_secret(Name="webhook", SecretString="hunter2")

    read = secret("webhook")

    assert read.get_secret_value() == "hunter2"
    assert "hunter2" not in f"{read} {read!r}"


def test_a_rotated_secret_is_read_anew_by_whoever_asks_for_it_fresh(
    aws_module_account: str,
) -> None:
    manager = boto3.client("secretsmanager")
    manager.create_secret(Name="rotated", SecretString="old")
    assert secret("rotated").get_secret_value() == "old"

    manager.put_secret_value(SecretId="rotated", SecretString="new")

    assert secret("rotated").get_secret_value() == "old"
    assert secret("rotated", fresh=True).get_secret_value() == "new"
