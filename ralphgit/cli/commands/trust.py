"""`trust`: consent to run a repository's commands."""

from __future__ import annotations

import sys
from typing import NamedTuple

from ralphgit.app.processes import trust
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import NeedsPerson
from ralphgit.model.printable import counted


class Options(NamedTuple):
    yes: bool = False
    list: bool = False
    revoke: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project()
    if options.revoke:
        trust.revoke(project)
        return Outcome(
            {"trusted": [], "untrusted": []},
            before=("No command of this repository is trusted any longer.",),
        )
    found = trust.consent(project)
    data = {"trusted": list(found.trusted), "untrusted": list(found.untrusted)}
    if options.list:
        lines = [f"trusted    {safe(command)}" for command in found.trusted]
        lines += [f"untrusted  {safe(command)}" for command in found.untrusted]
        return Outcome(data, before=lines or ("This repository asks to run nothing.",))
    if not found.untrusted:
        count = len(found.trusted)
        return Outcome(data, before=(f"Nothing to ask: {counted(count, 'command')} trusted.",))
    asked = ["This repository asks to run, with your rights:", ""]
    asked += [f"  {safe(command)}" for command in found.untrusted]
    if not options.yes:
        if call.screen.json or not (sys.stdin.isatty() and call.screen.terminal):
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
    data = {"trusted": list(now.trusted), "untrusted": list(now.untrusted)}
    lines = [*asked, ""] if options.yes and not call.screen.quiet else []
    done = f"Trusted: {counted(len(found.untrusted), 'command')}."
    return Outcome(data, before=[*lines, done])
