"""How long ralphgit takes, against its targets: `PYTHONPATH=tests python -m bench`.

`graphs` makes task graphs of any size, `places` the repositories that hold them, `timing`
runs processes side by side, `loops` has whole loops at work, `targets` compares by size of the
graph and with the version before; `__main__` says what is measured
and against which target, and `table` prints it.
"""
