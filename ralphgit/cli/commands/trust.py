"""`trust`: consent to run what a repository names."""

import os
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from ralphgit.app.processes import trust
from ralphgit.app.processes.trust import Asked, Consent
from ralphgit.cli.command_call import Call, agrees
from ralphgit.cli.render import Outcome, safe
from ralphgit.errors import NeedsPerson
from ralphgit.loop.presets import BUILT_IN
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
            _data(Consent((), ())),
            before=("No command of this repository is trusted any longer.",),
        )
    found = trust.consent(project)
    if options.list:
        lines = [f"trusted    {_on_one_line(one)}" for one in found.trusted]
        lines += [f"untrusted  {_on_one_line(one)}" for one in found.untrusted]
        return Outcome(_data(found), before=lines or ("This repository asks to run nothing.",))
    if not found.untrusted:
        count = len(found.trusted)
        return Outcome(
            _data(found), before=(f"Nothing to ask: {counted(count, 'command')} trusted.",)
        )
    asked = ["This repository asks to run, with your rights:", ""]
    asked += [line for one in found.untrusted for line in _lines(one)]
    if not options.yes:
        if call.screen.json or not call.around.person:
            raise NeedsPerson(
                f"{counted(len(found.untrusted), 'command')} of this repository: nobody has "
                "agreed yet to run what it names",
                code="untrusted",
                hint=trust.ask_a_person(project),
                details={"commands": [one.text for one in found.untrusted]},
            )
        trust.refuse_worker(project)
        print("\n".join(asked))  # noqa: T201 - a question has to be seen before it is answered
        if not agrees("\nTrust them? [y/N] "):
            raise NeedsPerson(
                "not trusted; nothing was changed", code="untrusted",
                hint="ralphgit trust --list",
            )  # fmt: skip
    trust.grant(project, found.untrusted)
    lines = [*asked, ""] if options.yes and not call.screen.quiet else []
    done = f"Trusted: {counted(len(found.untrusted), 'command')}."
    return Outcome(_data(trust.consent(project)), before=[*lines, done])


def _lines(one: Asked) -> Iterator[str]:
    yield f"  {safe(one.text)}"
    yield f"    {safe(one.of)}, {safe(one.where)}"
    if starts := _starts(one):
        yield f"    starts: {safe(starts)}"
    if one.before:
        yield f"    trusted before: {safe(one.before)}"


def _on_one_line(one: Asked) -> str:
    return f"{safe(one.text)}  ({safe(one.of)}, {safe(one.where)})"


def _starts(one: Asked) -> str:
    """The command line that a preset of ralphgit itself stands for."""
    for preset in BUILT_IN if one.use == trust.AGENT else ():
        if preset.name == one.text:
            return shlex.join([os.path.basename(preset.words[0]), *preset.words[1:]])
    return ""


def _data(found: Consent) -> dict[str, object]:
    rows = [(True, one) for one in found.trusted] + [(False, one) for one in found.untrusted]
    return {
        "trusted": [one.text for one in found.trusted],
        "untrusted": [one.text for one in found.untrusted],
        "commands": [
            {
                "command": one.text, "of": one.of, "where": one.where, "starts": _starts(one),
                "trusted": trusted, "trusted_before": one.before,
            }
            for trusted, one in rows
        ],
    }  # fmt: skip
