"""Describe the commands that show something."""

from ralphgit.cli.command_spec import Command, flag, integer, text
from ralphgit.cli.shared_options import ANY_TASK, AT, FETCH, PRIORITY, STORY, TASK

COMMANDS = (
    Command("status", "look", "What needs a person, who does what, what is next.", (FETCH,)),
    Command(
        "list", "look", "Tasks of this worktree's graph.",
        (
            STORY,
            text("state", "Only tasks in this state.", metavar="STATE", choices=(
                "waiting", "ready", "claimed", "in-progress", "in-review",
                "blocked", "complete", "cancelled")),
            AT,
        ),
    ),
    Command("show", "look", "One task, whole.", (TASK, AT)),
    Command(
        "next", "look", "What can be taken now, in the order in which it would be.",
        (STORY, PRIORITY, FETCH, integer("limit", "At most N tasks.")),
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
        "packet", "look", "All that a worker needs for a task, as YAML.",
        (TASK,),
    ),
    Command(
        "log", "look", "What happened to a task, or to all, on every branch.",
        (ANY_TASK, integer("limit", "The newest N entries.")),
    ),
    Command("inbox", "look", "What waits for a person, and how to answer.", (FETCH,)),
)  # fmt: skip
