"""`wait`: return when something has come true."""

from typing import NamedTuple

from ralphgit.app.status import awaited
from ralphgit.app.status.awaited import ATTENTION
from ralphgit.cli import look_again
from ralphgit.cli.amount import Amount
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe
from ralphgit.cli.shared_options import FOREVER
from ralphgit.errors import NothingReady
from ralphgit.rules.nothing_to_claim import Why


class Options(NamedTuple):
    awaited: str = ""
    """"" is attention."""
    timeout: float | None = None
    fetch: bool = False


def run(call: Call, options: Options) -> Outcome:
    what = options.awaited or ATTENTION
    limit = float(FOREVER) if options.timeout is None else options.timeout
    try:
        found = look_again.until(
            call, lambda project: awaited.came_true(project, what), limit, fetch=options.fetch
        )
    except NothingReady as error:
        if error.code != Why.WAITING:
            raise
        raise awaited.timed_out(error, what, limit) from None
    tasks, attention = Amount().first(found.tasks), [one._asdict() for one in found.attention]
    data = {
        "for": what, "reason": found.reason, "message": found.message, "tasks": list(tasks),
        "total": len(found.tasks), "attention": attention,
    }  # fmt: skip
    lines = [safe(found.message)]
    if found.attention:
        lines = [line for one in found.attention
                 for line in (f"! {safe(one.message)}", f"  {safe(one.hint)}")]  # fmt: skip
    if found.reason != awaited.READY:
        return Outcome(data, before=lines)
    more = ", ..." if len(found.tasks) > len(tasks) else ""
    lines = [f"{lines[0]}: {', '.join(tasks)}{more}"]
    return Outcome(data, before=lines, advice=["Next: ralphgit claim"])
