"""Google Cloud Firestore, spoken over gRPC to the unmodified official SDK.

How a request passes through:

    wire           gRPC in and out, refusals in the service's form
    service        the methods: requests to calls of the engine, answers to responses
    engine         reads, queries and commits under one lock; who waits for whom
    transactions   what is open, what it has locked, when it expires   ┐
    storage        documents with their past versions, by collection   │
    expiry         TTL policies                                        │ no gRPC, no threads
    writes         one write: checks, precondition, the new document   │
    transforms     server-side changes of fields                       │
    queries        a query compiled: scope, order, cursors, limit      │
    conditions     the filters of a query                              │
    aggregations   count, sum, average                                 │
    values         the order of values, their limits, their size       │
    paths, names   field paths; names of databases and documents       ┘

Needs the extra `local` (grpcio, google-cloud-firestore).
"""

try:
    from crosswind_local.firestore.emulator import FirestoreEmulator
    from crosswind_local.firestore.expiry import InvalidPolicy, read_policies
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] not in {"grpc", "google"}:
        raise
    raise ModuleNotFoundError(
        f"the local Firestore needs {error.name}: pip install 'crosswind[local]'", name=error.name
    ) from error

__all__ = ["FirestoreEmulator", "InvalidPolicy", "read_policies"]
