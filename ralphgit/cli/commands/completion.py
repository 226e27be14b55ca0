"""`completion`: the script that teaches a shell to complete `ralphgit` and `git ralph`."""

from typing import NamedTuple

from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome


class Options(NamedTuple):
    shell: str


def run(call: Call, options: Options) -> Outcome:
    from ralphgit.cli import click_application, completion_scripts

    script = completion_scripts.script(options.shell, click_application.program()).rstrip("\n")
    data = {"shell": options.shell, "script": f"{script}\n"}
    return Outcome(data, before=script.split("\n"))
