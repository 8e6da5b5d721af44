"""What Lambda calls: the handler of the group that is deployed."""

from __future__ import annotations

from crosswind_aws.function import lambda_handler
from e2e.aws.project.ops import app

handler = lambda_handler(app)
