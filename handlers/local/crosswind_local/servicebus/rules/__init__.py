"""Rules of subscriptions: which messages they let pass, and what they change.

tokens      characters to tokens                 ┐
syntax      tokens to conditions and expressions ├ the SQL subset of filters and actions
expressions what expressions mean                │
predicates  what conditions mean                 ┘
correlation filters by equality
actions     SET and REMOVE
rule        a name, a filter and perhaps an action
"""
