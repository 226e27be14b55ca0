"""Law L6 by force: a command is killed, or one of its steps fails, at each of its moments.

    just faults [COMMAND...]        every moment of every command that writes, with figures

`stage` runs a command and stops it at a moment, `scenes` has the commands and what must hold of
each afterwards, `verdict` says whether it does. tests/test_crash.py takes some of the moments.
"""

from __future__ import annotations

from faults import deciding, planning, working

CASES = {**working.CASES, **deciding.CASES, **planning.CASES}
