"""The presets that are built in: a module for each, with its command and how its events are read.

An installed package adds its own under the entry-point group `ralphgit.agents`
(docs/extending.md has an example).
"""

from ralphgit.loop.presets import (
    claude,
    codex,
    copilot,
    gemini,
    opencode,
    prompt_file,
    qwen,
    scripted,
)
from ralphgit.loop.presets.event_parts import tool
from ralphgit.loop.presets.preset import (
    AgentPreset,
    Did,
    Ended,
    Erred,
    Said,
    Seen,
    Used,
)
from ralphgit.model.task import Usage

__all__ = [
    "BUILT_IN", "AgentPreset", "Did", "Ended", "Erred", "Said", "Seen", "Usage", "Used", "tool",
]  # fmt: skip

BUILT_IN: tuple[AgentPreset, ...] = (
    claude.PRESET,
    codex.PRESET,
    gemini.PRESET,
    opencode.PRESET,
    qwen.PRESET,
    copilot.PRESET,
    prompt_file.PRESET,
    scripted.PRESET,
)
