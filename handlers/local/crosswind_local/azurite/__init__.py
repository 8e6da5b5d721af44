"""Azure Storage (blobs, queues, tables), spoken to the unmodified official SDKs: Azurite.

Azurite is Microsoft's own emulator, a program for Node.js. Both are fetched on first use, pinned
with hashes, and kept; from then on no network is needed. It runs in a process of its own with a
clean set of variables, keeps all in memory, and its clock can be moved on.

    accounts        the well-known account, and a thousand others for tests
    installation    Node.js and Azurite in the user's cache
    server          the process: started, watched, stopped
    leash.js        what runs Azurite within that process, and ends it when we are gone
"""

from crosswind_local.azurite.accounts import Account
from crosswind_local.azurite.server import AzuriteEmulator

__all__ = ["Account", "AzuriteEmulator"]
