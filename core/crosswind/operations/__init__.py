"""The kinds of action and query that Crosswind knows, by subject.

Users add kinds of their own in the same way: a model and a performer.
"""
