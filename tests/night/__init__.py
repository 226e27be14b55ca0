"""A night of loops in fast motion: real loops, worktrees and processes, and a clock that leaps.

`clock` is the clock; `clocked_loop` starts a loop that goes by it; `stand_in` is the agent of both
profiles; `field` is the repository and the night's events; `told` reads what happened, and judges
it. `python -m night` is the long form.
"""
