"""The agent that is built in: deterministic, for demonstrations and tests."""

from __future__ import annotations

import sys

from ralphgit.loop.presets.preset import AgentPreset

PRESET = AgentPreset(
    name="scripted",
    help="For trying out: it writes outputs, or a file of the scope, or does what x-script says.",
    words=(sys.executable, "-P", "-m", "ralphgit.loop.scripted_agent"),
    needs="nothing",
    task_fields={
        "RALPH_SCRIPT": "x-script",
        "RALPH_OUTPUTS": "outputs",
        "RALPH_SCOPE": "scope",
        "RALPH_MODE": "mode",
    },
    may_not="write outside the task's scope",
    trust="works in any folder",
)
