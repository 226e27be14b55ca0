"""What a reviewer needs."""

from ralphgit.cli.fields import AT
from ralphgit.cli.params import Command, arg, flag, many, text

COMMANDS = (
    Command(
        "check", "review", "The gate: is every record valid, every change legal?",
        (text("base", "Judge the changes since REF, as merged into it.", metavar="REF"), AT),
    ),
    Command(
        "resolve", "review", "After a conflict in the records: merge them by task.",
        (
            flag("dry_run", "Show what would be decided, change nothing."),
            many("yield", "Give up the branch's claim on this task (ID/CLAIM: that claim); "
                 "repeatable.", metavar="ID"),
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
            flag("force", "Replace FILE though it is no report."),
            AT,
        ),
        "Without FILE it goes to .ralph/report.html, with - to stdout. The page shows what needs "
        "a person, the graph, the attempts and the evidence, of the base and all that is in "
        "flight; with --at those of one revision.",
    ),
)  # fmt: skip
