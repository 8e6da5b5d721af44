"""The engine: a chain is one partition of the store, a run is one item, a decision is one write.

dispatch     from a delivery to its handlers
runs         a handler and an event, brought to a durable state by what stands there
flights      single flight: role, lock, index, run
opening      what a run's first write carries beside the run
execution    one attempt: the handler's context, from its call to a durable state
log          what it observed and did, given back when it is run again
acting       an action: before the gate, to its performer, onto the record
writer       its writes, and with them all that has to be written together
emit         from what a handler yields to the events of its outbox
outbox       publish, then settle
failures     retries and dead letters
deadlines    chains that have not ended in time
approvals    what a person is asked, and how the answer reaches the run that waits
redrive      a failed run, tried again by a person
burial       native dead letters
turns        how a run leaves its handler from inside
runtime      what all runs share
settings     bounds and times
"""
