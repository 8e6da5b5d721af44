"""A service over gRPC that calls endpoints, and signs for them on whose behalf it does."""

from crosswind_local.clock import Clock
from crosswind_local.grpc_service import GrpcService
from crosswind_local.identities import Identities


class TokenIssuer(GrpcService):
    """A GrpcService that has identities, and shows the key that verifies their ID tokens."""

    def __init__(
        self,
        name: str,
        *,
        port: int,
        clock: Clock | None,
        threads: int,
        refuse_beyond: int | None = None,
    ) -> None:
        """As a GrpcService."""
        super().__init__(
            name,
            port=port,
            clock=clock,
            threads=threads,
            refuse_beyond=refuse_beyond,
            shown={
                "/certs": lambda: self._identities.certificates(),
                "/jwks": lambda: self._identities.keys(),
            },
        )
        self._identities = Identities(self.clock)

    @property
    def certificates_url(self) -> str:
        """Where the certificate of the key is, in the form of googleapis.com/oauth2/v1/certs."""
        return f"{self.inspection_url}certs"

    @property
    def jwks_url(self) -> str:
        """Where the key is, in the form of googleapis.com/oauth2/v3/certs, a JSON Web Key Set."""
        return f"{self.inspection_url}jwks"
