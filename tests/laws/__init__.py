"""The laws of SPEC section 2 over generated graphs, on every way in which git merges.

`generate` writes graph files, `operations` changes one task of them, `cases` makes the two
children of one base, `merging` merges those on real repositories, `judge` says what a law
demands of the outcome. `python -m laws N` runs N pairs (`tests` on the path).
"""
