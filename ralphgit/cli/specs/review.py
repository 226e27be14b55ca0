"""Describe the commands for reviewers."""

from ralphgit.cli.command_spec import Command, arg, flag, integer, many, text
from ralphgit.cli.shared_options import AT, FETCH

COMMANDS = (
    Command(
        "check", "review", "The gate: is every record valid, every change legal?",
        (
            arg("range", "[BRANCH|OLD..NEW]", kind="optional"),
            text("base", "Judge the changes since REF, as merged into it.", metavar="REF"),
            AT,
            text("format", "How problems are printed: for people (text), as annotations in a "
                  "GitHub workflow (github), or as a SARIF 2.1.0 log (sarif).",
                  metavar="FORMAT", choices=("text", "github", "sarif")),
            flag("strict", "Warnings, too, are a reason to fail."),
        ),
        "Without arguments: this worktree's files, what is not committed yet, and its commits as "
        "merged into the base. BRANCH: that one as merged into the base, or with --base into REF. "
        "OLD..NEW: what NEW changes since OLD, judged as NEW is; OLD...NEW: since where the two "
        "part. Every rule, why it is there and how to "
        "fix what it finds, is in docs/rules.md.",
    ),
    Command(
        "diff", "review", "What a branch does to the records, in tasks and not in lines.",
        (
            arg("range", "[RANGE]", kind="optional"),
            text("format", "How it is written.", metavar="FORMAT", choices=("text", "markdown")),
            FETCH,
        ),
        "Without RANGE: this branch since it left the base. REV: that one since it did. A..B: the "
        "two as they are. A...B: B since it left A. It shows what is against it, and exits 0 all "
        "the same: check is the gate. --format markdown fits a comment on a pull request.",
    ),
    Command(
        "resolve", "review", "After a conflict in the records: merge them by task.",
        (
            flag("dry_run", "Show what would be decided, change nothing."),
            many("yield", "Give up the branch's claim on this task (ID/CLAIM: that claim); "
                 "repeatable.", metavar="ID", field="yields"),
        ),
        "During a merge, rebase, cherry-pick or revert (and after stash pop, am -3, merge "
        "--squash): changes of different tasks and fields are put together and staged. Two "
        "claims on one task are not: both are named, and --yield gives up the one that has not "
        "landed; its work is kept in a rescue ref. A file with anything left to you stays as "
        "git left it. Exit 5 while two claims are left, 1 for another question.",
    ),
    Command(
        "report", "review", "All of it as one HTML page that needs no network.",
        (
            arg("file", "[FILE]", kind="optional"),
            flag("force", "Replace FILE though it is not a report."),
            AT,
            flag("serve", "Serve it on 127.0.0.1, and keep it as things are."),
            integer("port", "With --serve: the port, else any that is free."),
        ),
        "Without FILE it goes to .ralph/report.html, with - to stdout. The page shows what needs "
        "a person, the graph, the attempts and the evidence, of the base and all that is in "
        "flight; with --at those of one revision.",
    ),
    Command("board", "review", "The live view in a terminal: tasks, workers, inbox, logs."),
)  # fmt: skip
