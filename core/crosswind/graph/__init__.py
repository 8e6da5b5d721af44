"""The graph of an app's chains, read from the annotations of its handlers.

    model      events, handlers, schedules and what leads from one to the other
    mermaid    the graph as text that many tools draw
    layers     a layered layout: cycles, layers, order, coordinates
    svg        the graph as a picture that needs nothing else

The engine enforces the annotations, so the graph is the truth about what an app can do.
"""
