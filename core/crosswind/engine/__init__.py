"""The engine: a chain is one partition of the store, a run is one item, a decision is one write.

dispatch     from a delivery to durable runs, by the state of the record that is met
flights      single flight: role, lock, index, run
opening      what a run's first write carries beside the run
execution    one attempt: the handler's context and the writes between its actions
failures     retries and dead letters
joins        what several runs decide together, once
deadlines    chains that have not ended in time
redrive      a failed run, tried again by a person
outbox       publish, then settle
parking      messages that no chain can take
record, head what is stored
identity     ids and keys
ledger       writes whose answer may be lost
runtime      what all runs share
settings     bounds and times
"""
