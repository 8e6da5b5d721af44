"""What is stored of a chain, and how it is named and written.

record      a run: journal, idempotency key and outbox in one item
head        a chain: open or closed, its lock, how much was said to it
joins       what several runs decide together, once
parking     messages that no chain can take
identity    ids, partitions and keys
ledger      writes whose answer may be lost
"""
