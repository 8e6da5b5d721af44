"""The documented limits of Firestore.

"Quotas and limits", https://cloud.google.com/firestore/quotas, and, for queries, "Query data",
https://cloud.google.com/firestore/docs/query-data/queries
"""

REQUEST_BYTES = 10 * 1024 * 1024

ID_BYTES = 1_500
"""Of a collection's or a document's id."""
NAME_BYTES = 6 * 1024
COLLECTION_DEPTH = 100

DOCUMENT_BYTES = 1_048_576
FIELD_NAME_BYTES = 1_500
FIELD_PATH_BYTES = 1_500
VALUE_BYTES = 1_048_487
VALUE_DEPTH = 20
"""How deep maps and arrays may lie in each other."""
INDEX_ENTRIES = 40_000
"""Of one document, in single-field indexes; there are no others here."""
INDEXED_BYTES = 1_500
"""How much of a string or of bytes a query looks at."""
VECTOR_DIMENSIONS = 2_048

TRANSFORMS_PER_DOCUMENT = 500
"""In one commit."""

DISJUNCTIONS = 30
NOT_IN_VALUES = 10
INEQUALITY_FIELDS = 10
FILTERS_AND_ORDERS = 100
AGGREGATIONS = 5

TRANSACTION_SECONDS = 270.0
IDLE_SECONDS = 60.0
SNAPSHOT_SECONDS = 3_600.0
"""How far back a read may look."""

PAGE_SIZE = 300
"""Of a list that names no size; the service only says that it may return fewer than asked for."""
