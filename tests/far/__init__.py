"""Workers on several machines and one remote: `PYTHONPATH=tests python -m far [--seed S]`.

Each machine has a host name, a boot id, a HOME, a clock and a link to the remote of its own; the
remote is behind `git daemon`, or behind a web server that asks for a password.
"""
