"""Much of AWS, spoken to the unmodified official SDKs: the emulator ministack.

EventBridge, SQS, SNS, Lambda, DynamoDB, Scheduler, CloudFormation, Route 53, Secrets Manager and
more, in one process. It runs in an environment of its own, which is made on first use, with a
clean set of variables; its schedules are looked at every second, and its clock can be moved on.
"""

from crosswind_local.ministack.server import Ministack

__all__ = ["Ministack"]
