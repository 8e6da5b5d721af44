"""What an AWS SDK needs to know to speak to an emulator."""

ACCOUNT = "123456789012"
"""The account unless another is asked for."""

REGION = "us-east-1"


def sdk_env(url: str, account: str = ACCOUNT, region: str = REGION) -> dict[str, str]:
    """Environment variables that point every AWS SDK to an emulator, and nowhere else.

    Args:
        url: where the emulator listens.
        account: 12 digits; ministack keeps accounts apart, told by the access key.
        region: for all services; emulators keep regions apart too.
    """
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # Nothing of a real account may be found by the SDK's own search.
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
