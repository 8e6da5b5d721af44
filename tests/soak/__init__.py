"""Whether an emulator keeps its size and its pace under half of its goals: run by hand.

    make soak                              # ten minutes of each
    make soak SOAK="servicebus --minutes 2"

Client and emulator are processes of their own, as they are in earnest.
"""
