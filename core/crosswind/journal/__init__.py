"""The journal: what the engine has stored, read back for people.

    chain        everything stored of one chain, decoded
    listing      which chains there are, and how each of them stands
    trace        one chain as a tree of causes: events, runs, what they saw, did and said
    repetition   what comes again and again in a trace, in one line
    findings     evidence and decisions, recognised by their shape wherever they stand
    replay       recorded runs, given to today's code without touching the world
    comparison   what was decided then beside what would be decided today
    review       the review of an incident, over all chains of the same trouble
    shadow       past signals under today's policy, and what would have been done

Nothing here writes to a store, a bus or the world; only what is rehearsed in shadow is kept, in a
store of its own.
"""
