"""Stacks: what an app is deployed as, planned, applied and taken away again.

    release       what is deployed: an artifact, its groups and schedules, what they ask for
    difference    where two documents differ, member by member
    plan          what applying would do, and what waits for a later time
    fate          whether a failover would be lost with the region that it is to leave
    history       what was deployed before
    attempt       what was begun, and what became of it
    driver        what the adapter of a cloud must be able to do

What is here knows no cloud. An adapter makes a template of a `Release`, and carries out a `Plan`
through its platform's own engine; its module `stack` has `open_stack`, which returns a `Driver`.
"""
