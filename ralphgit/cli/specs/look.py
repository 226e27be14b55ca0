"""Describe the commands that show something."""

from ralphgit.cli.command_spec import Command, flag, text
from ralphgit.cli.shared_options import (
    AMOUNT,
    ANY_TASK,
    AT,
    FETCH,
    PRIORITY,
    PROVIDES,
    STORY,
    TASK,
    seconds,
)

COMMANDS = (
    Command("status", "look", "What needs a person, who does what, what is next.",
            (FETCH, *AMOUNT)),
    Command(
        "list", "look", "Tasks of this worktree's graph.",
        (
            STORY,
            text("state", "Only tasks in this state.", metavar="STATE", choices=(
                "waiting", "ready", "claimed", "in-progress", "in-review",
                "blocked", "complete", "cancelled")),
            AT, *AMOUNT,
        ),
    ),
    Command("show", "look", "One task in full.", (TASK, AT)),
    Command(
        "next", "look", "The tasks that can be claimed now, in order.",
        (STORY, PRIORITY, PROVIDES, FETCH, *AMOUNT),
    ),
    Command("prompt", "look", "The prompt for a task (the next one without ID).",
            (ANY_TASK, STORY, PRIORITY)),
    Command(
        "graph", "look", "The dependency graph.",
        (
            text("format", "How it is drawn.", metavar="FORM",
                  choices=("tree", "mermaid", "dot")),
            STORY,
            flag("all", "Also finished tasks."),
            AT,
        ),
    ),
    Command(
        "packet", "look",
        "All that a worker needs for a task (this worktree's, else the next), as YAML.",
        (ANY_TASK,),
    ),
    Command(
        "log", "look", "What happened to a task, or to all, on every branch.",
        (ANY_TASK, *AMOUNT),
    ),
    Command("inbox", "look", "What waits for a person, and how to answer.", (FETCH, *AMOUNT)),
    Command(
        "wait", "look", "Return when something comes true: a person is needed, all is done.",
        (
            text("for", "attention (the default; also when all is done), ready, done, or the ID of "
                 "a task that is to be complete.", metavar="WHAT", field="awaited"),
            text("timeout", "Give up after so long, with exit code 3.", metavar="SECONDS",
                 parse=seconds),
            flag("fetch", "Fetch the base branch before each look."),
        ),
    ),
)  # fmt: skip
