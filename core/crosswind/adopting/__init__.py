"""A first fleet from what an account has, and its past signals.

    found       what was read of an account: what serves, alarms, shares, budgets, rotations
    mapping     what of it is a workload, and what has no place
    alerting    which alarms are about it
    drafts      what comes of both
    writing     the first fleet.yaml: what is declared, every guess marked, what was not mapped
    driver      what the adapter of a cloud must be able to read

What is here knows no cloud and asks nothing of one. An adapter's module `adopt` has `open_account`,
which returns an `Adopter`.
"""
