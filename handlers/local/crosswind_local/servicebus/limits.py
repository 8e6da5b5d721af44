"""The documented limits of Service Bus, standard tier.

"Service Bus quotas", https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas,
and the descriptions of queue, topic and subscription properties.
"""

import math

MESSAGE_BYTES = 262_144
"""Of one message, and of one transfer that carries a batch."""
PROPERTY_BYTES = 65_536
"""Of all properties of a message together, its header included."""
MESSAGE_ID = 128
"""Characters."""
SESSION_ID = 128
"""Characters; of a partition key too."""
SESSION_STATE_BYTES = 262_144

ENTITY_PATH = 260
"""Characters of the name of a queue or topic."""
NAME = 50
"""Characters of the name of a subscription or rule."""
ENTITIES = 10_000
"""Queues and topics together."""
SUBSCRIPTIONS_PER_TOPIC = 2_000
SQL_FILTERS_PER_TOPIC = 2_000
CORRELATION_FILTERS_PER_TOPIC = 100_000
EXPRESSION = 1_024
"""Characters of a SQL filter or of a rule action."""
STATEMENTS_PER_ACTION = 32

LOCK_SECONDS = (5, 300)
DELIVERIES = (1, 2_147_483_647)
TIME_TO_LIVE_SECONDS = (1, math.inf)
DUPLICATE_WINDOW_SECONDS = (5, 7 * 86_400)
"""The service's own minimum is 20 seconds, that of its emulator 5."""
ENTITY_BYTES = (1, 5 * 1024**3)

HOPS = 4
"""How often a message may be forwarded."""
PEEKED = 250
"""Messages that one peek returns at most."""
PEEKED_BYTES = 1_048_576
"""Bytes after which a peek returns no further message."""
SESSIONS_PER_PAGE = 100
RULES_PER_PAGE = 100

CONNECTIONS = 1_000
LINKS = 10_000
"""Open links of one connection; 255 is what the service allows for one AMQP session."""
SESSION_WAIT_SECONDS = 60
"""How long a receiver waits for a session when it does not say."""
