"""AMQP 1.0 as bytes: values, message sections and frames, without any engine.

The protocol engine (python-qpid-proton) runs connections, sessions and links. What it does not do
is done here: a message is taken apart only where the service looks at it and is otherwise kept
byte for byte, and the format of a transfer, which the engine does not tell, is read from the frame.

Source: OASIS AMQP 1.0, part 1 (types), part 2 (transport), part 3 (messaging),
https://docs.oasis-open.org/amqp/core/v1.0/
"""
