"""Shadow mode: what would have been done, had it been let do it.

    history      past signals, one JSON object a line, read into arrivals
    assumed      what is assumed of a world that can no longer be asked
    following    the register follows what was only observed
    rehearsal    a history through today's policy, in virtual time, into a store of its own
    account      what is kept of a rehearsal beside its chains
    would        the failovers that would have been, read from chains that were only observed
    actual       what really happened, from a file
    verdicts     the one against the other
    report       all of it together
    markdown     as a document for people

A rehearsal asks nobody and does nothing outside its own store; a report only reads.
"""
