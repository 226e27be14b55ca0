"""What a reviewer needs."""

from ralphgit.cli.fields import AT
from ralphgit.cli.params import Command, text

COMMANDS = (
    Command(
        "check", "review", "The gate: is every record valid, every change legal?",
        (text("base", "Judge the changes since REF, as merged into it.", metavar="REF"), AT),
    ),
    Command("board", "review", "The live view in a terminal: tasks, workers, inbox, logs."),
)  # fmt: skip
