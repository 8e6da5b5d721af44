"""The gate: what every action passes before its performer.

    chain open? -> simulated? -> break-glass? -> frozen? -> freeze window? -> proposed and approved?
        -> within limits?

Modes, limits and freezes are the brakes that a team trusts; their order is in `gate.py`.
"""
