"""The tokens by which an endpoint knows who calls: those of Google's service accounts.

"ID tokens", https://cloud.google.com/docs/authentication/token-types#id; "Use HTTP target tasks
with authentication tokens", https://cloud.google.com/tasks/docs/creating-http-target-tasks#token;
"Authentication for push subscriptions",
https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions. An ID token is signed with a
key of the emulator's own, made when the first one is asked for; Google's keys do not verify it,
those of the inspection endpoint do, in both forms in which Google publishes its own. An access
token is a string that says what it is for, and opens nothing.
"""

import base64
import datetime
import hashlib
import json
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from crosswind_local.clock import Clock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ISSUER = "https://accounts.google.com"
LIFETIME = 3_600
"""Seconds."""

_SIGNER = "federated-signon.local.example.com"
_CERTIFIED = datetime.timedelta(days=3_650)
"""For how long before and after it was made the certificate holds: a test may move time far."""


class Bearer(NamedTuple):
    """Whose ID token a request carries, and for whom it is."""

    email: str
    audience: str


class Identities:
    """Makes tokens of whatever service account is asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._key: RSAPrivateKey | None = None

    def id_token(self, email: str, audience: str) -> str:
        """An OpenID Connect token of a service account, a JWT signed with RS256."""
        now = int(self._clock.now())
        account = _account_id(email)
        header = {"alg": "RS256", "kid": self._key_id(), "typ": "JWT"}
        claims = {
            "aud": audience,
            "azp": account,
            "email": email,
            "email_verified": True,
            "exp": now + LIFETIME,
            "iat": now,
            "iss": ISSUER,
            "sub": account,
        }
        signed = f"{_part(header)}.{_part(claims)}"
        return f"{signed}.{_text(self._sign(signed.encode()))}"

    def access_token(self, email: str, scope: str) -> str:
        """An OAuth access token of a service account."""
        return f"local.{_part({'email': email, 'scope': scope})}"

    def certificates(self) -> dict[str, str]:
        """The key's certificate in PEM by its id, as googleapis.com/oauth2/v1/certs has them."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization

        key, now = (
            self._private_key(),
            datetime.datetime.fromtimestamp(self._clock.now(), datetime.UTC),
        )
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _SIGNER)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CERTIFIED)
            .not_valid_after(now + _CERTIFIED)
            .sign(key, hashes.SHA256())
        )
        return {self._key_id(): certificate.public_bytes(serialization.Encoding.PEM).decode()}

    def keys(self) -> dict[str, list[dict[str, str]]]:
        """The key as a JSON Web Key Set, as googleapis.com/oauth2/v3/certs has them.

        RFC 7517, https://www.rfc-editor.org/rfc/rfc7517, and for RSA RFC 7518, section 6.3.1.
        """
        numbers = self._private_key().public_key().public_numbers()
        key = {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self._key_id(),
            "n": _number(numbers.n),
            "e": _number(numbers.e),
        }
        return {"keys": [key]}

    def _private_key(self) -> "RSAPrivateKey":
        # Imported and made with the first token: most tasks and pushes need neither.
        from cryptography.hazmat.primitives.asymmetric import rsa

        with self._lock:
            if self._key is None:
                self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
            return self._key

    def _key_id(self) -> str:
        number = self._private_key().public_key().public_numbers().n
        return hashlib.sha256(number.to_bytes(256, "big")).hexdigest()[:40]

    def _sign(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        return self._private_key().sign(data, padding.PKCS1v15(), hashes.SHA256())


def _account_id(email: str) -> str:
    """The number of a service account: 21 digits, the same for the same address."""
    return str(10**20 + int.from_bytes(hashlib.sha256(email.encode()).digest()[:8], "big"))


def _part(value: Mapping[str, object]) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
