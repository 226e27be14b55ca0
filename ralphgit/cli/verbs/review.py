"""What a reviewer needs."""

from ralphgit.cli.fields import AT, FETCH
from ralphgit.cli.params import Command, arg, text

COMMANDS = (
    Command(
        "check", "review", "The gate: is every record valid, every change legal?",
        (text("base", "Judge the changes since REF, as merged into it.", metavar="REF"), AT),
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
