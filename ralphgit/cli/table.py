"""Every command as data: what it is called, what it takes, where it lives.

Help, completion and usage errors are click's, built from this table (`cli.explain`). A
well-formed command line is read from the same table without it (`cli.words`), because
importing click takes as long as everything else that `ralphgit next` does.
"""

from ralphgit.cli.fields import CONTRACT as _CONTRACT
from ralphgit.cli.params import Command, Param
from ralphgit.cli.params import arg as _arg
from ralphgit.cli.params import flag as _flag
from ralphgit.cli.params import integer as _int
from ralphgit.cli.params import many as _many
from ralphgit.cli.params import text as _text

GLOBAL = (
    _text("directory", "Work in DIR instead of the current folder.", "-C", metavar="DIR"),
    _flag("json", "One JSON object on stdout, also for errors."),
    _flag("quiet", "Say nothing but results and errors.", "-q", "--quiet"),
    _flag("verbose", "Say more; with a bug, show the traceback.", "-v", "--verbose"),
    _flag("no_color", "No colour (NO_COLOR does the same)."),
)

_STORY = _text("story", "Only tasks of this story.", metavar="S")
_PRIORITY = _int("priority", "Only tasks of priority P or more urgent (0 is the most urgent).", "P")
_WORKER = _text("worker", "The worker's name.", metavar="NAME")
_AT = _text("at", "The graph on any revision instead of this worktree's files.", metavar="REV")
_NO_FETCH = _flag("no_fetch", "Judge by what was fetched before.")
_FETCH = _flag("fetch", "Fetch the base branch first.")
_LANDING = (
    _flag("no_push", "Leave the result on the local base branch."),
    _NO_FETCH,
)

COMMANDS = {
    command.name: command
    for command in (
        # look
        Command("status", "look", "What needs a person, who does what, what is next.", (_FETCH,)),
        Command(
            "list", "look", "Tasks of this worktree's graph.",
            (
                _STORY,
                _text("state", "Only tasks in this state.", metavar="STATE", choices=(
                    "waiting", "ready", "claimed", "in-progress", "in-review",
                    "blocked", "complete", "cancelled")),
                _AT,
            ),
        ),
        Command("show", "look", "One task, whole.", (_arg("task", "ID"), _AT)),
        Command(
            "next", "look", "What can be taken now, in the order in which it would be.",
            (_STORY, _PRIORITY, _FETCH, _int("limit", "At most N tasks.")),
        ),
        Command("prompt", "look", "The prompt for a task (the next one without ID).",
                (_arg("task", "[ID]", kind="optional"), _STORY, _PRIORITY)),
        Command(
            "graph", "look", "The dependency graph.",
            (
                _text("format", "How it is drawn.", metavar="FORM",
                      choices=("tree", "mermaid", "dot")),
                _STORY,
                _flag("all", "Also finished tasks."),
                _AT,
            ),
        ),
        Command(
            "packet", "look", "All that a worker needs for a task, as YAML.",
            (_arg("task", "ID"),),
        ),
        Command(
            "log", "look", "What happened to a task, or to all, on every branch.",
            (_arg("task", "[ID]", kind="optional"), _int("limit", "The newest N entries.")),
        ),
        Command("inbox", "look", "What waits for a person, and how to answer.", (_FETCH,)),
        # work
        Command(
            "claim", "work", "Take a task: lease and record, staged for your first commit.",
            (
                _arg("task", "[ID]", kind="optional"), _STORY, _PRIORITY, _WORKER, _NO_FETCH,
                _flag("require_remote", "Refuse when the remote cannot be reached."),
                _flag("stack", "Accept dependencies that are complete on this branch only."),
                _text("force", "Pass the guards; the reason goes into the audit.",
                      metavar="REASON"),
            ),
            claims=True,
        ),
        Command(
            "complete", "work", "Verify a claimed task and commit it with its evidence.",
            (
                _arg("task", "[ID]", kind="optional"),
                _text("message", "The commit's subject.", "-m", "--message"),
                _many("concern", "Something a reviewer should know; repeatable."),
                _flag("accept_contract", "Complete although the task's contract has changed."),
                _text("force", "Record force-completed, whatever is missing.", metavar="REASON"),
                _WORKER,
            ),
        ),
        Command(
            "block", "work", "Say why a claimed task cannot go on.",
            (
                _arg("task", "[ID]", kind="optional"),
                _text("reason", "Why.", metavar="WORD", choices=(
                    "needs_context", "conflict", "verify-failed", "scope", "other")),
                _text("question", "What a person should answer."),
                _many("option", "A possible answer; repeatable."),
                _WORKER,
            ),
        ),
        Command(
            "release", "work", "Give a claimed task back.",
            (_arg("task", "[ID]", kind="optional"), _text("reason", "Why."), _WORKER),
        ),
        Command(
            "reset", "work", "Release what a crashed worker held; its work is kept.",
            (
                _arg("task", "ID"),
                _text("reason", "Why; it goes into the record.", required=True),
                _text("claim", "Only if this claim still holds it.", metavar="CLAIM"),
                _flag("reopen", "Also a complete or cancelled task."),
                _flag("force", "Although the holder is alive."),
                _flag("no_push", "Leave the commit on the local base branch."),
                _NO_FETCH,
            ),
        ),
        Command(
            "reply", "work", "Answer what a blocked task asks; it can be claimed again.",
            (
                _arg("task", "ID"),
                _arg("text", "TEXT"),
                _text("by", "Who answers.", metavar="NAME"),
                _flag("no_push", "Leave the commit on the local base branch."),
                _NO_FETCH,
            ),
        ),
        Command(
            "add", "work", "Add a task to this worktree's graph.",
            (
                _text("id", "Its id; without one, the next free number.", metavar="ID"),
                *_CONTRACT,
                _text("file", "The graph file it goes into.", metavar="PATH"),
                _text("after", "The task it is placed behind.", metavar="ID"),
            ),
        ),
        Command(
            "edit", "work", "Change a task's fields in this worktree's graph.",
            (
                _arg("task", "ID"), *_CONTRACT,
                _many("remove", "A field to take out; repeatable.", metavar="FIELD"),
                _text("cancel", "Say that it will not be done.", metavar="REASON"),
                _flag("block", "Write the task in block style, nothing else."),
            ),
        ),
        Command(
            "preflight", "work", "Would a claim succeed? Would this branch merge?",
            (_arg("task", "[ID]", kind="optional"), _STORY, _PRIORITY, _FETCH,
             _flag("stack", "Accept dependencies that are complete on this branch only.")),
        ),
        # loop
        Command(
            "run", "loop", "Take tasks one after the other until none is left.",
            (
                _flag("once", "Stop after one task."),
                _int("max_tasks", "Stop after N tasks."),
                _text("task", "Only this task, then stop.", metavar="ID"),
                _STORY, _PRIORITY, _WORKER,
                _text("agent", "The coding agent: claude, codex, gemini, opencode, scripted, or a "
                      "command that reads the prompt on stdin.", metavar="AGENT"),
                _text("land", "How completed work gets into the base.", metavar="WAY",
                      choices=("pr", "merge", "none")),
                _text("idle", "What to do while nothing is ready.", metavar="WAY",
                      choices=("exit", "wait")),
                _text("branch", "A branch for each task, or go on with the one that is here.",
                      metavar="WAY", choices=("task", "keep")),
            ),
        ),
        Command(
            "stop", "loop", "End a loop after its task.",
            (_arg("name", "[NAME]", kind="optional"),
             _flag("now", "At once; the agent is stopped, the claim stays."),
             _flag("all", "The loops of all worktrees.")),
        ),
        Command(
            "logs", "loop", "What the agent printed.",
            (_arg("name", "[NAME]", kind="optional"),
             _flag("follow", "Go on as it is printed.", "-f", "--follow"),
             _text("task", "The log of this task.", metavar="ID"),
             _flag("loop", "What the loop did, as JSON lines.")),
        ),
        # loop: worktrees
        Command(
            "worktree", "loop", "The workers' worktrees: new, list, remove, prune.",
            (
                Param("action", (), "", "text", "ACTION", ("new", "list", "remove", "prune")),
                _arg("name", "[NAME]", kind="optional"),
                _text("story", "new: a loop in it takes only tasks of this story.", metavar="S"),
                _flag("no_fetch", "new: begin at the base as it was fetched before."),
                _flag("fetch", "list, remove, prune: fetch the base branch first."),
                _text("force", "remove: keep all its work in a rescue ref, then remove it.",
                      metavar="REASON"),
                _flag("dry_run", "prune: show what would be removed, change nothing."),
            ),
            "new NAME makes ../<repo>-NAME on a new branch feature/NAME from the fetched base. "
            "remove NAME refuses while anything in it is not on the base. prune removes those "
            "whose work has landed, also by a squash merge.",
        ),
        # loop: fleet
        Command(
            "fleet", "loop", "Several loops, each in its worktree: up, status, attach, down.",
            (
                Param("action", (), "", "text", "ACTION", ("up", "status", "attach", "down")),
                _arg("name", "[NAME]", kind="optional"),
                Param("number", ("-n", "--number"), "up: so many workers, w1 to wN.", "int", "N"),
                _many("story", "up: a worker for this story; repeatable.", metavar="S"),
                _text("agent", "up: the coding agent, as for run.", metavar="AGENT"),
                _text("land", "up: how completed work gets into the base.", metavar="WAY",
                      choices=("pr", "merge", "none")),
                _text("idle", "up: what a loop does while nothing is ready.", metavar="WAY",
                      choices=("exit", "wait")),
                _flag("tmux", "up: in a tmux session, or not at all."),
                _flag("no_tmux", "up: in the background, also where there is tmux."),
                _flag("now", "down: at once; agents are stopped, claims stay."),
            ),
            "up makes the worktrees that are missing and starts a loop in each, in a detached tmux "
            "session where tmux and libtmux are installed. The loops outlive the terminal. "
            "down ends them after their tasks; the worktrees stay.",
        ),
        # loop: batch
        Command(
            "batch", "loop", "Groups of independent tasks, one after the other: plan, run.",
            (
                Param("action", (), "", "text", "ACTION", ("plan", "run")),
                _STORY,
                _int("at_once", "So many tasks at once, at most.", "N"),
                _int("limit", "plan: the first N groups."),
                _text("agent", "run: the coding agent, as for run.", metavar="AGENT"),
            ),
            "Parallel tasks that follow each other in a story form a group; verify and sequential "
            "tasks stand alone. run works a group off in the worktrees b1, b2, ..., integrates "
            "what is complete, retries what failed alone, and goes on with the next group. After "
            "a crash, repeat it.",
        ),
        # prove
        Command(
            "independence", "prove", "Which tasks may run together, and why others must not.",
            (
                _arg("tasks", "[ID...]", kind="any"),
                _flag("ready", "The tasks that next shows (so it is without ID and --story)."),
                _text("story", "The unfinished tasks of this story.", metavar="S"),
                _flag("branches", "Also merge the branches in flight with each other, aside."),
            ),
            "Prints each pair that must not run together, with the reason and a path that both "
            "cover, then groups that may be started one after the other. Exit 1 where tasks that "
            "were named by ID conflict; what --ready and --story list is no question, so 0.",
        ),
        Command(
            "evidence", "prove", "What was observed about tasks: add, list, verify.",
            (
                Param("action", (), "", "text", "ACTION", ("add", "list", "verify")),
                _arg("tasks", "[ID...]", kind="any"),
                _text("shows", "add: what a reader may conclude from it."),
                _text("does_not_show", "add: what a reader must not conclude from it."),
                _text("artifact", "add: the file that shows it.", metavar="PATH"),
                _text("kind", "add: how it was observed.", metavar="KIND",
                      choices=("observation", "artifact", "review")),
                _many("supports", "add: a criterion that it speaks for; repeatable.",
                      metavar="CRITERION"),
                _many("partially", "add: one that it speaks for in part; repeatable.",
                      metavar="CRITERION"),
                _many("challenges", "add: one that it speaks against; repeatable.",
                      metavar="CRITERION"),
                _text("at", "list: any revision instead of this worktree's files.",
                      metavar="REV"),
                _flag("stale", "list: only what counts for nothing any more."),
                _flag("rerun", "verify: run again the commands whose evidence is stale."),
                _WORKER,
            ),
            "Evidence is bound to the content of the files in the task's scope: while they are "
            "as they were it is fresh, once they change it is stale. Records are never edited. "
            "add and verify --rerun stage what they write; it travels with your next commit.",
        ),
        Command(
            "audit", "prove", "Reviews of the work on tasks: add, list.",
            (
                Param("action", (), "", "text", "ACTION", ("add", "list")),
                _arg("tasks", "[ID...]", kind="any"),
                _text("verdict", "add: what the review comes to.", metavar="VERDICT",
                      choices=("clear", "concerns", "changes-needed", "inconclusive")),
                _text("target", "add: the revision that was reviewed (without it, this worktree).",
                      metavar="REV"),
                _text("by", "add: who reviewed.", metavar="NAME"),
                _many("lens", "add: a point of view that was taken; repeatable."),
                _many("context", "add: what was read besides the target; repeatable."),
                _many("finding", "add: what was found, as SEVERITY: TEXT; repeatable."),
                _many("dispose", "add: what became of an earlier finding; repeatable.",
                      metavar="REVIEW/FIND-N=WORD"),
                _text("residual_risk", "add: what could still be wrong."),
                _text("at", "list: any revision instead of this worktree's files.",
                      metavar="REV"),
                _flag("open", "list: only what has open findings."),
            ),
            "A review is bound to the content that was reviewed. A task with risk: high lands only "
            "with a clear review, by somebody other than its worker, of what is to land.",
        ),
        Command(
            "reconcile", "prove", "What came back from workers, against their packets.",
            (_arg("branches", "BRANCH...", kind="rest"), _FETCH),
        ),
        Command(
            "integrate", "prove", "Merge branches in a good order, prove the result, land it.",
            (
                _arg("branches", "BRANCH...", kind="rest"),
                _flag("dry_run", "Show order, conflicts and what goes stale; change nothing."),
                *_LANDING,
            ),
            "Branches come after those they depend on, and those with the fewest conflicts first. "
            "All verify commands of what is merged run on the result, in a worktree of their own. "
            "The first coupling that the packets did not foresee ends it: what was merged before "
            "it is proved and lands.",
        ),
        Command(
            "land", "prove", "integrate, for one branch.",
            (
                _arg("branch", "[BRANCH]", kind="optional"),
                _flag("dry_run", "Show what would be done, change nothing."),
                *_LANDING,
            ),
        ),
        # review
        Command(
            "check", "review", "The gate: is every record valid, every change legal?",
            (_text("base", "Judge the changes since REF, as merged into it.", metavar="REF"), _AT),
        ),
        # set up
        Command(
            "init", "set up", "Begin a task graph here.",
            (_text("layout", "Where tasks live.", metavar="LAYOUT",
                   choices=("single", "story", "task")),),
        ),
        Command(
            "import", "set up", "Bring tasks of another tool into the graph.",
            (_arg("files", "FILE...", kind="rest"),
             _flag("dry_run", "Show the result, write nothing."),
             _text("prefix", "Put WORD before the ids of all tasks in the files.",
                   metavar="WORD")),
            "FILE is a graph of nodes and edges, a ticket with YAML front matter, a task list in "
            "Markdown, beads' JSON lines, what gh issue list --json prints, or what export wrote. "
            "Importing it again changes what has changed in it since.",
        ),
        Command(
            "export", "set up", "The tasks for other tools; import reads each format.",
            (
                _arg("file", "[FILE]", kind="optional"),
                _text("format", "jsonl (the default), markdown, or graph: nodes and edges.",
                      metavar="FORM", choices=("jsonl", "markdown", "graph")),
                _flag("force", "Replace FILE if it exists."),
                _AT,
            ),
            "Without FILE, or with -, it goes to stdout.",
        ),
        Command(
            "shard", "set up", "Move the graph into one file, or one for each story or task.",
            (
                _text("layout", "Where tasks are to live.", metavar="LAYOUT",
                      choices=("single", "story", "task"), required=True),
                _flag("dry_run", "Show the files, write nothing."),
            ),
            "Every task keeps its bytes, and graph in ralph.toml follows. Staged, not committed. "
            "Refused while a claim is in flight.",
        ),
        Command(
            "trust", "set up", "Allow this repository's verify commands to run.",
            (
                _flag("yes", "Answer yes to the question."),
                _flag("list", "Show what is trusted and what is not."),
                _flag("revoke", "Take the consent back."),
            ),
        ),
        Command("doctor", "set up", "Find what a crash or a setting left behind.",
                (_flag("fix", "Mend what is safe to mend."),)),
        Command("completion", "set up", "The completion script for a shell.",
                (Param("shell", (), "", "text", "SHELL", ("bash", "zsh", "fish")),), outside=True),
    )
}  # fmt: skip

GROUPS = ("look", "work", "loop", "prove", "review", "set up")


def module_of(command: str) -> str:
    """Where the command's `run` is."""
    return f"ralphgit.cli.commands.{command.replace('-', '_')}"
