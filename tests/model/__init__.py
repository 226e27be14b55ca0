"""A Hypothesis state machine over two clones with their worktrees, beside a model in memory.

`clones` is the field of `life` with a second clone, and `machine` the rules: what happens is what
happens in `life`, drawn by Hypothesis, so that a sequence that does not hold is made short.
`ledger` is the model: it hears what each command answered, and says what the base may have become.
`history` is the checker: it reads the remote by plain git and another YAML reader, and shares no
code with ralphgit. `python -m model` runs it.
"""
