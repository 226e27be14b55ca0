"""Describe the commands that a task goes through."""

from ralphgit.cli.command_spec import Command, arg, flag, many, text
from ralphgit.cli.shared_options import (
    ANY_TASK,
    CONTRACT,
    FETCH,
    FOREVER,
    NO_FETCH,
    NO_PUSH,
    PRIORITY,
    PROVIDES,
    STORY,
    TASK,
    WORKER,
    reason,
    seconds,
)

COMMANDS = (
    Command(
        "claim", "work", "Take a task: lease and record, staged for your first commit.",
        (
            ANY_TASK, STORY, PRIORITY, WORKER, PROVIDES, NO_FETCH,
            text("wait", "Wait while others work on what is left; alone, without limit.",
                 metavar="SECONDS", parse=seconds, alone=FOREVER),
            flag("require_remote", "Refuse when the remote cannot be reached.", setting=True),
            flag("stack", "Accept dependencies that are complete on this branch only."),
            text("force", "Pass the guards; the reason goes into the audit.",
                 metavar="REASON", parse=reason),
        ),
        claims=True,
    ),
    Command(
        "complete", "work", "Verify a claimed task and commit it with its evidence.",
        (
            ANY_TASK,
            text("message", "The commit's message, or just its subject.", "-m", "--message"),
            many("concern", "Something a reviewer should know; repeatable.", field="concerns"),
            text("summary", "What was done, for reviewers and for tasks that depend on it."),
            text("shows", "What you observed, as evidence."),
            many("proves", "A criterion it proves; repeatable.", metavar="CRITERION"),
            flag("accept_contract", "Complete although the task's contract has changed."),
            text("by", "The COMMIT, RANGE or PR (#12) on the base that did it; needs no claim.",
                 metavar="WORK"),
            text("force", "Record force-completed, whatever is missing.", metavar="REASON",
                 parse=reason),
            text("land", "Land it at once; alone, as land.mode says.", metavar="WAY",
                  choices=("auto", "merge", "pr"), alone="auto"),
            WORKER,
        ),
    ),
    Command(
        "block", "work", "Say why a claimed task cannot go on.",
        (
            ANY_TASK,
            text("reason", "Why.", metavar="WORD", choices=(
                "needs_context", "conflict", "verify-failed", "scope", "other")),
            text("question", "What a person should answer."),
            many("option", "A possible answer; repeatable.", field="answers"),
            flag("shared", "Its story waits for the answer, too."),
            WORKER,
        ),
    ),
    Command(
        "release", "work", "Give a claimed task back.",
        (ANY_TASK, text("reason", "Why."), WORKER),
    ),
    Command(
        "reset", "work", "Release what a crashed worker held; its work is kept.",
        (
            TASK,
            text("reason", "Why; it goes into the record."),
            text("claim", "Only if this claim still holds it.", metavar="CLAIM"),
            flag("reopen", "Also a complete or cancelled task."),
            flag("force", "Although the holder is alive."),
            NO_PUSH,
            NO_FETCH,
        ),
    ),
    Command(
        "revert", "work", "Take back a task that has landed: its work and its records.",
        (
            TASK,
            text("reason", "Why; it goes into the commit's message."),
            text("branch", "Make the commit on a new branch.", metavar="NAME"),
            NO_PUSH,
            NO_FETCH,
        ),
    ),
    Command(
        "reply", "work", "Answer what a blocked task asks, or leave its worker a note.",
        (
            TASK,
            arg("text", "TEXT"),
            text("by", "Who answers.", metavar="NAME"),
            NO_PUSH,
            NO_FETCH,
        ),
    ),
    Command(
        "add", "work", "Add a task to this worktree's graph.",
        (
            text("id", "Its id; without one, the next free number.", metavar="ID"),
            *CONTRACT,
            text("file", "The graph file it goes into.", metavar="PATH"),
            text("after", "The task it is placed behind.", metavar="ID"),
        ),
    ),
    Command(
        "edit", "work", "Change a task's fields in this worktree's graph.",
        (
            TASK, *CONTRACT,
            many("remove", "A field to take out; repeatable.", metavar="FIELD"),
            text("cancel", "Say that it will not be done.", metavar="REASON"),
            flag("block", "Write the task in block style, nothing else."),
            text("rename", "Give the task another id, and its records with it.", metavar="NEW"),
            flag("take_scope", "Take the write scope that an import has offered."),
        ),
    ),
    Command(
        "preflight", "work", "Would a claim succeed? Would this branch merge?",
        (ANY_TASK, STORY, PRIORITY, FETCH,
         flag("stack", "Accept dependencies that are complete on this branch only.")),
    ),
)  # fmt: skip
