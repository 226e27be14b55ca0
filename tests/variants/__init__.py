"""ralphgit in repositories of every kind: right, or one clear refusal before anything is made.

`kinds` makes them, `journey` is what is done in each, and `python -m variants` runs all of them;
with `--write` it makes the table of docs/reliability.md.
"""
