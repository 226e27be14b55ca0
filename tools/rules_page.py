"""`docs/rules.md`, made from the table of rules. As a program it rewrites the page."""

from __future__ import annotations

from pathlib import Path

from ralphgit.rules.gate_rules import GROUPS

ROOT = Path(__file__).resolve().parent.parent

_HEAD = """\
# The rules of the gate

`ralphgit check` reports what is in this list and nothing else. An *error* makes it exit with 1,
a *warning* does so with `--strict`. The code of a rule is stable; `--json`, `--format github` and
`--format sarif` have it. In which view a rule is looked at:

- `ralphgit check`: the working files; what is changed since HEAD; whether this worktree's claim
  still stands on the base.
- `ralphgit check --at REV`: a commit, and the history of its evidence.
- `ralphgit check OLD..NEW`: what NEW changes since OLD, as NEW is; with three dots, since where
  the two part.
- `ralphgit check --base REF`: what HEAD (or `--at REV`) brings, as merged into REF by a merge that
  is made in memory.

Every rule has a case that it stops and one that it lets pass in `tests/cases/rules`.

What no rule can tell: records are not signed, so who can write to the branch can write a record
of a run that never was. A branch's proof is as good as who is allowed to push to it; let the
commands run again where that is not enough (`ralphgit evidence verify --rerun`, `integrate`).

This page is made from `ralphgit/rules/gate_rules.py` by `just rules`.
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for group in GROUPS:
        parts.append(f"\n## {group.title}\n\n{group.view}\n")
        for rule in group.rules:
            level = f"*{rule.level}*" + (f"; a *warning* where {rule.eased}" if rule.eased else "")
            parts.append(
                f"\n### {rule.code}\n\n{level}\n\n{rule.summary} {rule.why}\n\n"
                f"To fix it: {rule.fix}\n"
            )
    return "".join(parts)


if __name__ == "__main__":
    (ROOT / "docs" / "rules.md").write_text(page(), encoding="utf-8")
