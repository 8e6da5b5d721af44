"""The post-incident review: what was seen, decided and done, read back from the journal.

    incidents    which incidents there are: those kept, and those that only the journal knows
    episode      the chains that tell of one incident: the failover, its relapse, the way back
    facts        what a review is made of, as data
    reading      from the records of a chain to facts, in one bounded pass
    acts, looks, said   what one action, one observation, one event says
    phases       how long each part took
    unknowns     what was not known when it was decided
    lessons      what to improve, from facts alone
    story        all of it together
    markdown     as a document for people

Nothing here writes, and nothing is asked of the world: what is not in the journal is not said.
"""
