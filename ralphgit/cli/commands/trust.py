"""`trust`: consent to run a repository's commands."""

from __future__ import annotations

import sys

from ralphgit.app.base import opening
from ralphgit.app.processes import trust
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe
from ralphgit.errors import NeedsPerson
from ralphgit.model.printable import counted


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings)
    if options.get("revoke"):
        trust.revoke(project)
        return Outcome(
            {"trusted": [], "untrusted": []},
            before=("Nothing of this repository is trusted any more.",),
        )
    found = trust.consent(project)
    data = {"trusted": list(found.trusted), "untrusted": list(found.untrusted)}
    if options.get("list"):
        lines = [f"trusted    {safe(command)}" for command in found.trusted]
        lines += [f"untrusted  {safe(command)}" for command in found.untrusted]
        return Outcome(data, before=lines or ("This repository asks to run nothing.",))
    if not found.untrusted:
        count = len(found.trusted)
        return Outcome(data, before=(f"Nothing to ask: {counted(count, 'command')} trusted.",))
    asked = ["This repository asks to run, with your rights:", ""]
    asked += [f"  {safe(command)}" for command in found.untrusted]
    if not options.get("yes"):
        if screen.json or not (sys.stdin.isatty() and screen.terminal):
            raise NeedsPerson(
                f"{len(found.untrusted)} commands wait for consent",
                code="untrusted",
                hint="read them (ralphgit trust --list), then: ralphgit trust --yes",
                details={"commands": list(found.untrusted)},
            )
        print("\n".join(asked))  # noqa: T201 - a question has to be seen before it is answered
        if input("\nTrust them? [y/N] ").strip().lower() not in ("y", "yes"):
            raise NeedsPerson("not trusted; nothing was changed", code="untrusted", hint="")
    trust.grant(project, found.untrusted)
    now = trust.consent(project)
    count = len(found.untrusted)
    lines = asked if options.get("yes") and not screen.quiet else []
    return Outcome(
        {"trusted": list(now.trusted), "untrusted": list(now.untrusted)},
        before=(
            *lines,
            *([""] if lines else []),
            f"Trusted: {counted(count, 'command')}.",
        ),
    )
