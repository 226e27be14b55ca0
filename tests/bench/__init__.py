"""How long ralphgit takes, against its targets: `PYTHONPATH=tests python -m bench`.

`graphs` makes task graphs of any size, `places` the repositories that hold them, `timing`
runs processes side by side, `figures` says what is measured and against which target.
"""
