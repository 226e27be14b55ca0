"""For a tool that takes its prompt as a file; aider is the one that is started.

Sources: aider's page "scripting" (--message-file, --yes-always), and what it printed against a
local server: exit code 0 also where it was refused. What it changes `complete` commits.
"""

from __future__ import annotations

from ralphgit.loop.presets.preset import PROMPT, AgentPreset

PRESET = AgentPreset(
    name="file",
    help="aider, as a tool that takes a prompt file.",
    words=(
        *("aider", "--yes-always", "--no-auto-commits", "--no-gitignore", "--no-check-update"),
        *("--message-file", PROMPT),
    ),
    needs="aider, with a model and its key",
    may_not="run the commands that it suggests (`--yes-always` declines them)",
    trust="works in any folder",
    tried="0.86.2",
)
