"""Loops that drain a graph over a real server, while processes are killed.

`field` is the repository, its server and its worktrees; `killing` kills; `history` judges
what is on the base in the end, commit by commit; `planned` makes a graph of other people's
tasks. `python -m soak` is the long form.
"""
