"""The rest of AWS, spoken to the unmodified official SDKs: the server of moto.

It has what ministack lacks: weights and capacities of SageMaker endpoints, Application Auto
Scaling, rotation of KMS keys on demand, Cost Explorer. It runs in an environment of its own,
which is made on first use, with a clean set of variables.
"""

from crosswind_local.moto.server import Moto

__all__ = ["Moto"]
