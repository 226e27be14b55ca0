"""What a reviewer needs."""

from ralphgit.cli.fields import AT
from ralphgit.cli.params import Command, arg, flag, text

COMMANDS = (
    Command(
        "check", "review", "The gate: is every record valid, every change legal?",
        (text("base", "Judge the changes since REF, as merged into it.", metavar="REF"), AT),
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
    Command("board", "review", "The live view in a terminal: tasks, workers, inbox, logs."),
)  # fmt: skip
