"""Describe the commands that set up, move and repair a graph."""

from collections.abc import Iterable

from ralphgit.cli.command_spec import Command, arg, flag, many, text
from ralphgit.cli.shared_options import AT, TASKS, age
from ralphgit.model.listed import Listed


def _formats(folder: str) -> Iterable[Listed]:
    from ralphgit.app.exchange import extension_formats

    return extension_formats.listed(folder)


COMMANDS = (
    Command(
        "init", "set up", "Begin a task graph here.",
        (
            text("layout", "Where tasks live.", metavar="LAYOUT",
                  choices=("single", "story", "task")),
            flag("no_agents", "Leave AGENTS.md and CLAUDE.md as they are.", unsets="agents"),
            text("skill", "Also DIR/ralphgit/SKILL.md for coding agents (.claude/skills).",
                  metavar="DIR"),
            text("ci", "Also a job that judges each change, in .github/workflows or .gitlab.",
                  metavar="FORGE", choices=("github", "gitlab")),
            flag("dry_run", "Show what would be done, change nothing."),
            flag("undo", "Remove what init made and is unchanged."),
        ),
        "It makes the graph, ralph.toml with every default, .gitattributes for records, recipes "
        "for just, a block of instructions in AGENTS.md (and CLAUDE.md if there is one), and the "
        "schemas for editors. What exists stays: it adds a line or a block between marks, and "
        "renews its own of an older version. Hooks and .gitignore are never touched. After a "
        "crash, repeat it.",
    ),
    Command(
        "import", "set up", "Bring tasks of another tool into the graph.",
        (arg("files", "FILE...", kind="rest"),
         flag("dry_run", "Show the result, write nothing."),
         text("prefix", "Put WORD before the ids of all tasks in the files.",
               metavar="WORD"),
         flag("renumbered", "Changed words of what is done or begun mean other work."),
         flag("reworded", "Changed words of what is done or begun mean the same work."),
         text("scopes", "Files that an item names: suggest (the default), take as its scope, none.",
               metavar="HOW", choices=("suggest", "take", "none")),
         flag("junit", "The files are JUnit reports: a task for each file with failing tests."),
         flag("bullets", "Read items without a box as tasks, too."),
         flag("strict", "Refuse files with lines that would be read as nothing."),
         text("format", "Read the files as this format, whatever they look like.",
               metavar="FORMAT", field="form", listed=_formats)),
        "The format of each FILE is recognised by its content. "
        "Importing it again changes what has changed in it since.",
    ),
    Command(
        "export", "set up", "The tasks for other tools; import reads each format.",
        (
            arg("file", "[FILE]", kind="optional"),
            text("format", "jsonl (the default), markdown, or graph: nodes and edges.",
                  metavar="FORM", choices=("jsonl", "markdown", "graph"), field="form"),
            many("tick", "Mark what is complete in this file that it was imported from, and change "
                 "nothing else there; repeatable.", metavar="FILE"),
            flag("force", "Replace FILE if it exists."),
            AT,
        ),
        "Without FILE, or with -, it goes to stdout.",
    ),
    Command(
        "shard", "set up", "Move the graph into one file, or one for each story or task.",
        (
            text("layout", "Where tasks are to live.", metavar="LAYOUT",
                  choices=("single", "story", "task"), required=True),
            flag("dry_run", "Show the files, write nothing."),
        ),
        "Every task keeps its bytes, and graph in ralph.toml follows. Staged, not committed. "
        "Refused while a claim is in flight.",
    ),
    Command(
        "archive", "set up", "Move finished tasks and their records into the archive, or back.",
        (
            TASKS,
            text("older_than", "Finished so long ago: 90d (the default), 2w, 12h, 0.",
                 metavar="AGE", parse=age),
            text("story", "Only tasks of story S.", metavar="S"),
            flag("restore", "Put IDs back into the graph, with their records."),
            flag("dry_run", "Show what would go, write nothing."),
        ),
        "What is complete or cancelled on the base, and in nobody's hands, goes to "
        "RECORDS/archive/YYYY-MM.jsonl, byte for byte, in one commit. show, log, check and "
        "dependencies still know it, and its id is not given again.",
    ),
    Command(
        "rebase-paths", "set up", "Tell unfinished tasks that a folder has moved.",
        (
            arg("old", "OLD"),
            arg("new", "NEW"),
            flag("dry_run", "Show what would change, write nothing."),
        ),
        "What begins with the folder OLD in scopes, outputs and verify commands begins with NEW "
        "then, and nothing else changes; '.' is the top of the repository. It is refused while "
        "somebody works on such a task, and names what it leaves for you to look at. Commit it "
        "with the move.",
    ),
    Command(
        "rescue", "set up", "Work that was kept: list, show, apply, drop.",
        (
            arg("action", "ACTION", choices=("list", "show", "apply", "drop")),
            arg("name", "[TASK|REF]", kind="optional"),
        ),
        "What a reset, a lost claim or a removed worktree leaves is kept under "
        "refs/ralph/rescue/TASK/CLAIM. show prints its files as a patch, apply brings them into "
        "this worktree, staged, without its records. worktree prune lets go of what the base has.",
    ),
    Command(
        "trust", "set up", "Agree to what this repository has run, its commands and its agent.",
        (
            flag("yes", "Answer yes to the question."),
            flag("list", "Show what is trusted and what is not."),
            flag("revoke", "Take the consent back."),
        ),
        "A worker of a loop cannot agree for a person.",
    ),
    Command(
        "doctor", "set up", "Find what a crash or a setting left behind; try an agent.",
        (
            flag("fix", "Fix what is safe to fix."),
            text("agent", "See whether this agent is installed, logged in, able to write in a "
                 "worktree and to run a command.", metavar="AGENT"),
        ),
        "--agent asks it for one word and for two small files, in a worktree that is thrown away.",
    ),
    Command("completion", "set up", "The completion script for bash, zsh or fish.",
            (arg("shell", "SHELL", choices=("bash", "zsh", "fish")),), outside=True),
    Command(
        "mcp", "set up", "Serve coding agents that speak the Model Context Protocol.",
        (
            many("allow", "Also offer VERB, with all its options; repeatable.",
                  metavar="VERB"),
            flag("read_only", "Offer only what looks."),
            flag("list", "Show what is offered, and about how many tokens that is."),
        ),
        "It speaks on stdin and stdout until stdin ends; agents start it themselves, in the "
        "worktree that they work in. Needs the extra 'ralphgit[mcp]'.",
        outside=True,
    ),
)  # fmt: skip
