"""AMQP 1.0 on the wire. Only what is here knows of python-qpid-proton, sockets and threads.

server      the thread, its event loop, the listening socket
connection  one client: bytes to the protocol engine and back, its events to the links
attaching   what a link is for, or why it is refused
links       the links of a client: to an entity, from one, and to its management node
requests    requests and responses of management nodes, and the record of calls
management  the operations of management nodes
"""
