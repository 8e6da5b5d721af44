"""Secrets for performers: by reference, from Secrets Manager, kept for some minutes."""

from __future__ import annotations

from pydantic import SecretStr

MAX_AGE = 300
"""Seconds for which a secret is kept before it is asked for again; rotation takes that long."""


def secret(name: str, *, max_age: int = MAX_AGE, fresh: bool = False) -> SecretStr:
    """The current version of a secret.

    Args:
        name: of the secret, or its ARN; what events and journals hold in its place.
        max_age: seconds for which what is read now will do for the next who asks.
        fresh: read it now, whatever was read before; for whoever verifies a rotation.

    Raises:
        GetParameterError: Secrets Manager does not give it (of Powertools).
    """
    # Imported here: it loads a client that most functions never need.
    from aws_lambda_powertools.utilities import parameters

    return SecretStr(parameters.get_secret(name, max_age=max_age, force_fetch=fresh))
