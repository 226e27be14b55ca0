"""Runs the composite action of this repository as GitHub's runner does, without a container.

    python tests/action.py EVENT_NAME EVENT.json    (in a checkout; `just action`)

Each `run:` script goes to bash with the environment that its step asks for. Of the expressions
the few that are in use are known; anything else in `action.yml` is an error.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import ryaml

ROOT = Path(__file__).resolve().parent.parent
_EXPRESSION = re.compile(r"\$\{\{ *([a-z_.]+) *\}\}")


class Step(NamedTuple):
    name: str
    env: dict[str, str]
    script: str


def steps(inputs: Mapping[str, str], context: Mapping[str, str]) -> list[Step]:
    """The steps with their expressions put in."""
    action = ryaml.loads((ROOT / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    known = dict(context)
    for name, spec in action["inputs"].items():
        assert set(spec) == {"description", "default"}, name
        known[f"inputs.{name}"] = inputs.get(name, _put_in(spec["default"], context))
    assert {f"inputs.{name}" for name in inputs} <= set(known)
    found = []
    for step in action["runs"]["steps"]:
        assert set(step) == {"name", "shell", "env", "run"}, step
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an expression in a script runs what it says"
        env = {name: _put_in(text, known) for name, text in step["env"].items()}
        found.append(Step(step["name"], env, step["run"]))
    return found


def _put_in(text: str, known: Mapping[str, str]) -> str:
    made = _EXPRESSION.sub(lambda found: known[found.group(1)], text)
    assert "${{" not in made or "${{" in str(known.values()), text
    return made


def run(
    where: Path, event: str, payload: Path, environ: Mapping[str, str], inputs: Mapping[str, str]
) -> tuple[int, str, str]:
    """Run the steps in a checkout, the installation included; exit code, stdout and stderr."""
    temp = Path(environ["RUNNER_TEMP"])
    context = {"github.token": environ.get("TOKEN", ""), "github.action_path": str(ROOT)}
    out = err = ""
    for step in steps(inputs, context):
        if step.name == "Install ralphgit" and (temp / "ralphgit" / "bin" / "python").exists():
            continue
        script = temp / "step.sh"
        script.write_text(step.script)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=where, capture_output=True, text=True, check=False,
            env={**environ, **step.env, "GITHUB_EVENT_NAME": event,
                 "GITHUB_EVENT_PATH": str(payload), "GITHUB_ACTIONS": "true"},
        )  # fmt: skip
        out, err = out + done.stdout, err + done.stderr
        if done.returncode:
            return done.returncode, out, err
    return 0, out, err


if __name__ == "__main__":
    import tempfile

    name, file = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        environ = {"RUNNER_TEMP": scratch, **os.environ}
        json.loads(Path(file).read_text())
        code, out, err = run(Path.cwd(), name, Path(file), environ, {"comment": "false"})
    sys.stdout.write(out)
    sys.stderr.write(err)
    sys.exit(code)
