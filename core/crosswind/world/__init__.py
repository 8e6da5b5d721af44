"""The world of local processes: what reactions steer when there is no cloud.

One real HTTP model server per region (`server`), a weighted proxy before them (`proxy`) and
callers that never slow down (`load`), each a process of its own on 127.0.0.1. `processes` starts
and stops them, `performers` carry out actions on them, `answers` reads what callers got.

    load ──> proxy ──> server aws/us-east-1
               │ └───> server gcp/us-central1
               │
    performers ┴ (client) ── /admin: every order carries a key and an epoch (control)

The order rules (`control`), capacity (`capacity`) and shares of traffic (`weights`) are plain
objects without I/O. Nothing here is imported by `import crosswind`.
"""
