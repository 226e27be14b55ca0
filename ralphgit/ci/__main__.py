"""Start the action, the GitLab job and `just action`."""

from __future__ import annotations

import os
import sys

from ralphgit.app.workspace import surroundings
from ralphgit.ci import gate_job, job_environment, pull_request_comment
from ralphgit.cli import command_call
from ralphgit.cli import main as cli
from ralphgit.cli.render import safe
from ralphgit.errors import RalphError, UsageError

_READ = {"github": job_environment.github, "gitlab": job_environment.gitlab}


def main(words: list[str]) -> int:
    """Do one job; its exit code is that of `check`, or of what went wrong."""
    cli.escape_unencodable()
    try:
        if len(words) != 1 or words[0] not in _READ:
            raise UsageError("name the forge", hint="python -I -m ralphgit.ci github|gitlab")
        job = _READ[words[0]](os.environ)
        around = command_call.surroundings()
        environ = {"RALPH_BASE": job.branch, **around.environ} if job.branch else around.environ
        forge = pull_request_comment.of(job, os.environ)
        try:
            return gate_job.run(around._replace(environ=environ), job, forge)
        finally:
            surroundings.leave()
    except RalphError as error:
        gate_job.say(error, words[0] if words else "")
        return error.exit_code
    except OSError as error:
        print(f"error: {safe(str(error))}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
