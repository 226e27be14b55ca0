"""The coding agents that are tried, each pointed at a local server instead of its model."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

#: What a tool needs in its home folder and in its environment for an address.
Point = Callable[[Path, str], dict[str, str]]


class Tool(NamedTuple):
    name: str
    point: Point
    says_cost: bool = False
    retries: bool = False
    """Whether it tries again for ever, and says so or nothing: silence ends it."""
    says_limit: bool = True


def _file(home: Path, name: str, text: str) -> None:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _claude(home: Path, url: str) -> dict[str, str]:
    return {
        "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "sk-ant-nobody",  # ANTHROPIC_
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_MAX_RETRIES": "1",
    }  # fmt: skip


def _codex(home: Path, url: str) -> dict[str, str]:
    provider = {
        "name": "local", "base_url": f"{url}/v1", "env_key": "OPENAI_API_KEY",
        "wire_api": "responses",
    }  # fmt: skip
    lines = ['model = "gpt-5"', 'model_provider = "local"', "[model_providers.local]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in provider.items()]
    lines += ["request_max_retries = 1", "stream_max_retries = 1"]
    _file(home, ".codex/config.toml", "\n".join(lines) + "\n")
    return {"OPENAI_API_KEY": "nobody", "CODEX_HOME": str(home / ".codex")}


def _gemini(home: Path, url: str) -> dict[str, str]:
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    _file(home, ".gemini/settings.json", json.dumps(settings))
    return {"GEMINI_API_KEY": "nobody", "GOOGLE_GEMINI_BASE_URL": url}


def _opencode(home: Path, url: str) -> dict[str, str]:
    maker = "anthropic"  # as ANTHROPIC_BASE_URL has it
    model = f"{maker}/claude-sonnet-4-5"
    provider = {maker: {"options": {"baseURL": f"{url}/v1", "apiKey": "nobody"}}}
    settings = {"model": model, "small_model": model, "provider": provider, "autoupdate": False}
    return {
        "OPENCODE_CONFIG_CONTENT": json.dumps(settings), "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
    }  # fmt: skip


def _qwen(home: Path, url: str) -> dict[str, str]:
    names = {"OPENAI_API_KEY": "nobody", "OPENAI_BASE_URL": f"{url}/v1"}
    return {**names, "OPENAI_MODEL": "qwen3-coder"}


TOOLS = (
    Tool("claude", _claude, says_cost=True),
    Tool("codex", _codex, retries=True),
    Tool("gemini", _gemini, retries=True),
    Tool("opencode", _opencode, says_cost=True, retries=True),
    Tool("qwen", _qwen, retries=True, says_limit=False),
)


def version(name: str, environ: Mapping[str, str]) -> str:
    """The version that a program says; "" where there is none."""
    try:
        said = subprocess.run(
            [name, "--version"], env=dict(environ), capture_output=True, text=True, timeout=120,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.search(r"\d+\.\d+\.\d+", said.stdout)
    return found[0] if found else said.stdout.strip().split("\n")[-1]


def on_path(folder: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with the programs of a folder before all others."""
    path = f"{folder}{os.pathsep}{environ['PATH']}" if folder else environ["PATH"]
    kept = {name: os.environ[name] for name in ("NODE_EXTRA_CA_CERTS",) if name in os.environ}
    return {**kept, "PATH": path}
