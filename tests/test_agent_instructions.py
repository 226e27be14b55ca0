"""What agents are told: short, and of commands and options that there are."""

from __future__ import annotations

import re

import pytest

from ralphgit.app.setup import agent_instructions
from ralphgit.cli import agent_tools
from ralphgit.cli.command_table import COMMANDS
from ralphgit.model.config import Config
from ralphgit.records import package_files

BLOCK = agent_instructions.block(Config()).decode()
SKILL = package_files.read("skills", "ralphgit/SKILL.md").decode()


def test_the_instructions_are_short() -> None:
    assert len(re.sub(r"<!--.*?-->", "", BLOCK).split()) < 300
    assert len(agent_tools.offer().instructions) < 1400


@pytest.mark.parametrize("text", [BLOCK, SKILL], ids=["AGENTS.md", "SKILL.md"])
def test_every_command_that_is_named_exists(text: str) -> None:
    named = re.findall(r"ralphgit ([a-z]+)([^`\n#;]*)", re.sub(r"(?s)^.*?\n#+ ", "", text))
    named = [(verb, rest) for verb, rest in named if verb in COMMANDS or rest[:3] == " --"]
    assert {"claim", "complete", "block", "release"} <= {verb for verb, _ in named}
    for verb, rest in named:
        flags = {flag for param in COMMANDS[verb].params for flag in param.flags}
        assert set(re.findall(r"--[a-z-]+", rest)) - {"--json", "--help"} <= flags, (verb, rest)


@pytest.mark.parametrize("text", [BLOCK, SKILL], ids=["AGENTS.md", "SKILL.md"])
def test_what_an_agent_does_with_each_no_is_said(text: str) -> None:
    for code in "134578":
        assert re.search(rf"^(?:- |\| ){code}\b", text, re.M), code
    told = " ".join(text.split())
    for word in ("waits for others", "all tasks are done", "any file the task needs", "--force"):
        assert word in told


def test_the_tools_follow_the_same_cycle() -> None:
    tools = {tool.name: tool for tool in agent_tools.offer().tools}
    properties = tools["complete"].schema["properties"]
    assert isinstance(properties, dict)
    assert properties["land"]["enum"] == ["auto", "merge", "pr"]
    assert "required" not in tools["packet"].schema
    words = tools["complete"].words({"land": "auto", "summary": "x"})
    assert words == ["complete", "--summary=x", "--land=auto", "--"]
    assert "wait" in dict(tools["claim"].schema["properties"])  # type: ignore[call-overload]
