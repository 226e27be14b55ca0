"""What a reviewer needs."""

from ralphgit.cli.fields import AT, FETCH
from ralphgit.cli.params import Command, arg, flag, text

COMMANDS = (
    Command(
        "check", "review", "The gate: is every record valid, every change legal?",
        (
            arg("range", "[OLD..NEW]", kind="optional"),
            text("base", "Judge the changes since REF, as merged into it.", metavar="REF"),
            AT,
            text("format", "How problems are printed: for people (text), as annotations in a "
                  "GitHub workflow (github), or as a SARIF 2.1.0 log (sarif).",
                  metavar="FORMAT", choices=("text", "github", "sarif")),
            flag("strict", "Warnings, too, are a reason to fail."),
        ),
        "Without a range, --base or --at: this worktree's files, what is not committed yet, and "
        "whether its claim still stands on the base. OLD..NEW: what NEW changes since OLD, judged "
        "as NEW is; OLD...NEW: since where the two part. Every rule, why it is there and how to "
        "mend what it finds, stands in docs/rules.md.",
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
)  # fmt: skip
