"""What every bus needs, whoever runs it; an adapter brings only what is its cloud's own.

    routing    which groups an event goes to
    filters    what a group wants of each type, for adapters that compile it
    promises   what a bus takes, and how it names what it has not taken
    batches    many entries in requests that take few
    later      delays that are longer than a bus can hold
    contents   what the body of a message holds
    intake     what becomes of what has arrived
    door       events and notifications over HTTP

`docs/adr/0022-what-a-second-cloud-needs.md` says what is left for an adapter.
"""
