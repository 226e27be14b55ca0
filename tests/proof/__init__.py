"""A formal model of claiming, `claims.pml`, and what runs spin on it: `python -m proof`.

Beside the tests of the code itself: every order of the steps of three workers, a person and a forge
is looked at, not those that a machine happens to make.
"""
