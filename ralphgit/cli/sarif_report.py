"""Write problems as a SARIF 2.1.0 log (OASIS), for code scanning and editors."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from ralphgit import __version__
from ralphgit.app.gate.problem import Problem
from ralphgit.rules.gate_rules import RULES, Rule

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
#: A line number in a message, which is not what the problem is.
_LINE = re.compile(r":\d+\b")


def log(problems: Sequence[Problem], *, anywhere: str) -> str:
    """Encode the log as JSON. `anywhere`: the file for problems that have none."""
    used = sorted({problem.code for problem in problems})
    seen: Counter[str] = Counter()
    results = []
    for problem in problems:
        key = _fingerprint(problem)
        seen[key] += 1
        results.append(
            {
                "ruleId": problem.code,
                "ruleIndex": used.index(problem.code),
                "level": problem.severity,
                "message": {"text": problem.said},
                "locations": [_location(problem, anywhere)],
                "partialFingerprints": {"ralphgit/v1": f"{key}:{seen[key]}"},
            }
        )
    rules = [_rule(RULES[code]) for code in used]
    driver = {"name": "ralphgit", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.code.split("_")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary} {rule.why}"},
        "help": {
            "text": f"{rule.why}\n\nTo fix it: {rule.fix}",
            "markdown": f"{rule.why}\n\n**To fix it:** {rule.fix}",
        },
        "defaultConfiguration": {"level": rule.level},
    }


def _location(problem: Problem, anywhere: str) -> dict[str, object]:
    name = (problem.path or anywhere).encode("utf-8", "surrogateescape")
    place = {"startLine": problem.line, "startColumn": problem.column}
    artifact = {"uri": quote(name), "uriBaseId": _ROOT}
    return {"physicalLocation": {"artifactLocation": artifact, "region": place}}


def _fingerprint(problem: Problem) -> str:
    """The same wherever the problem's lines have moved to."""
    parts = (problem.code, problem.path, problem.task, _LINE.sub("", problem.message))
    text = "\0".join(parts).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:32]


def code_quality(problems: Sequence[Problem], *, anywhere: str) -> str:
    """Encode the problems as GitLab's Code Quality report."""
    found = [
        {
            "check_name": problem.code,
            "description": problem.said,
            "fingerprint": f"{_fingerprint(problem)}{number}",
            "severity": "critical" if problem.severity == "error" else "minor",
            "location": {"path": problem.path or anywhere, "lines": {"begin": problem.line}},
        }
        for number, problem in enumerate(problems)
    ]
    return json.dumps(found, indent=2)
