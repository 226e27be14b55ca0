"""Sixteen processes and one task: `PYTHONPATH=tests python -m race ROUNDS [--seed S]`.

`claims` races the real command line in sixteen worktrees, `swaps` the compare-and-swap of
one ref alone, which is faster and so can be repeated more often. Beside both, `packing`
keeps moving all refs into the packed file and back. What a round must look like is said
once, by the functions that return violations.
"""

RACERS = 16
