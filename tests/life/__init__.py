"""The life of a repository: random events, and beside it a model of what must hold.

`field` is the repository with its workers and what its base has, `events` what may happen,
`model` says after each event what is wrong, `ending` that nothing is held for ever.
`python -m life SEQUENCES` runs them.
"""
