"""The agent that is built in: deterministic, for demonstrations and tests."""

from __future__ import annotations

import sys

from ralphgit.loop.presets.preset import AgentPreset

PRESET = AgentPreset(
    name="scripted",
    help="For trying out: it writes a task's outputs, or does what its x-script says.",
    words=(sys.executable, "-P", "-m", "ralphgit.loop.scripted_agent"),
    needs="nothing",
    task_fields={
        "RALPH_SCRIPT": "x-script",
        "RALPH_OUTPUTS": "outputs",
        "RALPH_SCOPE": "scope",
    },
    may_not="write outside the task's scope",
    trust="works in any folder",
)
