"""Every command as data: what it is called, what it takes, where it lives.

Help, completion and usage errors are click's, built from this table (`cli.explain`). A
well-formed command line is read from the same table without it (`cli.words`), because
importing click takes as long as everything else that `ralphgit next` does.
"""

from ralphgit.cli.fields import CONTRACT as _CONTRACT
from ralphgit.cli.params import Command, Param, arg, flag, integer, many, text

GLOBAL = (
    text("directory", "Work in DIR instead of the current folder.", "-C", metavar="DIR"),
    flag("json", "One JSON object on stdout, also for errors."),
    flag("quiet", "Say nothing but results and errors.", "-q", "--quiet"),
    flag("verbose", "Say more; with a bug, show the traceback.", "-v", "--verbose"),
    flag("no_color", "No colour (NO_COLOR does the same)."),
)

_STORY = text("story", "Only tasks of this story.", metavar="S")
_PRIORITY = integer(
    "priority", "Only tasks of priority P or more urgent (0 is the most urgent).", "P"
)
_WORKER = text("worker", "The worker's name.", metavar="NAME")
_AT = text("at", "The graph on any revision instead of this worktree's files.", metavar="REV")
_NO_FETCH = flag("no_fetch", "Judge by what was fetched before.")
_FETCH = flag("fetch", "Fetch the base branch first.")
_LANDING = (
    flag("no_push", "Leave the result on the local base branch."),
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
                text("state", "Only tasks in this state.", metavar="STATE", choices=(
                    "waiting", "ready", "claimed", "in-progress", "in-review",
                    "blocked", "complete", "cancelled")),
                _AT,
            ),
        ),
        Command("show", "look", "One task, whole.", (arg("task", "ID"), _AT)),
        Command(
            "next", "look", "What can be taken now, in the order in which it would be.",
            (_STORY, _PRIORITY, _FETCH, integer("limit", "At most N tasks.")),
        ),
        Command("prompt", "look", "The prompt for a task (the next one without ID).",
                (arg("task", "[ID]", kind="optional"), _STORY, _PRIORITY)),
        Command(
            "graph", "look", "The dependency graph.",
            (
                text("format", "How it is drawn.", metavar="FORM",
                      choices=("tree", "mermaid", "dot")),
                _STORY,
                flag("all", "Also finished tasks."),
                _AT,
            ),
        ),
        Command(
            "packet", "look", "All that a worker needs for a task, as YAML.",
            (arg("task", "ID"),),
        ),
        Command(
            "log", "look", "What happened to a task, or to all, on every branch.",
            (arg("task", "[ID]", kind="optional"), integer("limit", "The newest N entries.")),
        ),
        Command("inbox", "look", "What waits for a person, and how to answer.", (_FETCH,)),
        # work
        Command(
            "claim", "work", "Take a task: lease and record, staged for your first commit.",
            (
                arg("task", "[ID]", kind="optional"), _STORY, _PRIORITY, _WORKER, _NO_FETCH,
                flag("require_remote", "Refuse when the remote cannot be reached."),
                flag("stack", "Accept dependencies that are complete on this branch only."),
                text("force", "Pass the guards; the reason goes into the audit.",
                      metavar="REASON"),
            ),
            claims=True,
        ),
        Command(
            "complete", "work", "Verify a claimed task and commit it with its evidence.",
            (
                arg("task", "[ID]", kind="optional"),
                text("message", "The commit's subject.", "-m", "--message"),
                many("concern", "Something a reviewer should know; repeatable."),
                flag("accept_contract", "Complete although the task's contract has changed."),
                text("force", "Record force-completed, whatever is missing.", metavar="REASON"),
                _WORKER,
            ),
        ),
        Command(
            "block", "work", "Say why a claimed task cannot go on.",
            (
                arg("task", "[ID]", kind="optional"),
                text("reason", "Why.", metavar="WORD", choices=(
                    "needs_context", "conflict", "verify-failed", "scope", "other")),
                text("question", "What a person should answer."),
                many("option", "A possible answer; repeatable."),
                _WORKER,
            ),
        ),
        Command(
            "release", "work", "Give a claimed task back.",
            (arg("task", "[ID]", kind="optional"), text("reason", "Why."), _WORKER),
        ),
        Command(
            "reset", "work", "Release what a crashed worker held; its work is kept.",
            (
                arg("task", "ID"),
                text("reason", "Why; it goes into the record.", required=True),
                text("claim", "Only if this claim still holds it.", metavar="CLAIM"),
                flag("reopen", "Also a complete or cancelled task."),
                flag("force", "Although the holder is alive."),
                flag("no_push", "Leave the commit on the local base branch."),
                _NO_FETCH,
            ),
        ),
        Command(
            "reply", "work", "Answer what a blocked task asks; it can be claimed again.",
            (
                arg("task", "ID"),
                arg("text", "TEXT"),
                text("by", "Who answers.", metavar="NAME"),
                flag("no_push", "Leave the commit on the local base branch."),
                _NO_FETCH,
            ),
        ),
        Command(
            "add", "work", "Add a task to this worktree's graph.",
            (
                text("id", "Its id; without one, the next free number.", metavar="ID"),
                *_CONTRACT,
                text("file", "The graph file it goes into.", metavar="PATH"),
                text("after", "The task it is placed behind.", metavar="ID"),
            ),
        ),
        Command(
            "edit", "work", "Change a task's fields in this worktree's graph.",
            (
                arg("task", "ID"), *_CONTRACT,
                many("remove", "A field to take out; repeatable.", metavar="FIELD"),
                text("cancel", "Say that it will not be done.", metavar="REASON"),
                flag("block", "Write the task in block style, nothing else."),
            ),
        ),
        Command(
            "preflight", "work", "Would a claim succeed? Would this branch merge?",
            (arg("task", "[ID]", kind="optional"), _STORY, _PRIORITY, _FETCH,
             flag("stack", "Accept dependencies that are complete on this branch only.")),
        ),
        # loop
        Command(
            "run", "loop", "Take tasks one after the other until none is left.",
            (
                flag("once", "Stop after one task."),
                integer("max_tasks", "Stop after N tasks."),
                text("task", "Only this task, then stop.", metavar="ID"),
                _STORY, _PRIORITY, _WORKER,
                text("agent", "The coding agent: claude, codex, gemini, opencode, scripted, or a "
                      "command that reads the prompt on stdin.", metavar="AGENT"),
                text("land", "How completed work gets into the base.", metavar="WAY",
                      choices=("pr", "merge", "none")),
                text("idle", "What to do while nothing is ready.", metavar="WAY",
                      choices=("exit", "wait")),
                text("branch", "A branch for each task, or go on with the one that is here.",
                      metavar="WAY", choices=("task", "keep")),
            ),
        ),
        Command(
            "stop", "loop", "End a loop after its task.",
            (arg("name", "[NAME]", kind="optional"),
             flag("now", "At once; the agent is stopped, the claim stays."),
             flag("all", "The loops of all worktrees.")),
        ),
        Command(
            "logs", "loop", "What the agent printed.",
            (arg("name", "[NAME]", kind="optional"),
             flag("follow", "Go on as it is printed.", "-f", "--follow"),
             text("task", "The log of this task.", metavar="ID"),
             flag("loop", "What the loop did, as JSON lines.")),
        ),
        # loop: worktrees
        Command(
            "worktree", "loop", "The workers' worktrees: new, list, remove, prune.",
            (
                Param("action", (), "", "text", "ACTION", ("new", "list", "remove", "prune")),
                arg("name", "[NAME]", kind="optional"),
                text("story", "new: a loop in it takes only tasks of this story.", metavar="S"),
                flag("no_fetch", "new: begin at the base as it was fetched before."),
                flag("fetch", "list, remove, prune: fetch the base branch first."),
                text("force", "remove: keep all its work in a rescue ref, then remove it.",
                      metavar="REASON"),
                flag("dry_run", "prune: show what would be removed, change nothing."),
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
                arg("name", "[NAME]", kind="optional"),
                Param("number", ("-n", "--number"), "up: so many workers, w1 to wN.", "int", "N"),
                many("story", "up: a worker for this story; repeatable.", metavar="S"),
                text("agent", "up: the coding agent, as for run.", metavar="AGENT"),
                text("land", "up: how completed work gets into the base.", metavar="WAY",
                      choices=("pr", "merge", "none")),
                text("idle", "up: what a loop does while nothing is ready.", metavar="WAY",
                      choices=("exit", "wait")),
                flag("tmux", "up: in a tmux session, or not at all."),
                flag("no_tmux", "up: in the background, also where there is tmux."),
                flag("now", "down: at once; agents are stopped, claims stay."),
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
                integer("at_once", "So many tasks at once, at most.", "N"),
                integer("limit", "plan: the first N groups."),
                text("agent", "run: the coding agent, as for run.", metavar="AGENT"),
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
                arg("tasks", "[ID...]", kind="any"),
                flag("ready", "The tasks that next shows (so it is without ID and --story)."),
                text("story", "The unfinished tasks of this story.", metavar="S"),
                flag("branches", "Also merge the branches in flight with each other, aside."),
            ),
            "Prints each pair that must not run together, with the reason and a path that both "
            "cover, then groups that may be started one after the other. Exit 1 where tasks that "
            "were named by ID conflict; what --ready and --story list is no question, so 0.",
        ),
        Command(
            "evidence", "prove", "What was observed about tasks: add, list, verify.",
            (
                Param("action", (), "", "text", "ACTION", ("add", "list", "verify")),
                arg("tasks", "[ID...]", kind="any"),
                text("shows", "add: what a reader may conclude from it."),
                text("does_not_show", "add: what a reader must not conclude from it."),
                text("artifact", "add: the file that shows it.", metavar="PATH"),
                text("kind", "add: how it was observed.", metavar="KIND",
                      choices=("observation", "artifact", "review")),
                many("supports", "add: a criterion that it speaks for; repeatable.",
                      metavar="CRITERION"),
                many("partially", "add: one that it speaks for in part; repeatable.",
                      metavar="CRITERION"),
                many("challenges", "add: one that it speaks against; repeatable.",
                      metavar="CRITERION"),
                text("at", "list: any revision instead of this worktree's files.",
                      metavar="REV"),
                flag("stale", "list: only what counts for nothing any more."),
                flag("rerun", "verify: run again the commands whose evidence is stale."),
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
                arg("tasks", "[ID...]", kind="any"),
                text("verdict", "add: what the review comes to.", metavar="VERDICT",
                      choices=("clear", "concerns", "changes-needed", "inconclusive")),
                text("target", "add: the revision that was reviewed (without it, this worktree).",
                      metavar="REV"),
                text("by", "add: who reviewed.", metavar="NAME"),
                many("lens", "add: a point of view that was taken; repeatable."),
                many("context", "add: what was read besides the target; repeatable."),
                many("finding", "add: what was found, as SEVERITY: TEXT; repeatable."),
                many("dispose", "add: what became of an earlier finding; repeatable.",
                      metavar="REVIEW/FIND-N=WORD"),
                text("residual_risk", "add: what could still be wrong."),
                text("at", "list: any revision instead of this worktree's files.",
                      metavar="REV"),
                flag("open", "list: only what has open findings."),
            ),
            "A review is bound to the content that was reviewed. A task with risk: high lands only "
            "with a clear review, by somebody other than its worker, of what is to land.",
        ),
        Command(
            "reconcile", "prove", "What came back from workers, against their packets.",
            (arg("branches", "BRANCH...", kind="rest"), _FETCH),
        ),
        Command(
            "integrate", "prove", "Merge branches in a good order, prove the result, land it.",
            (
                arg("branches", "BRANCH...", kind="rest"),
                flag("dry_run", "Show order, conflicts and what goes stale; change nothing."),
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
                arg("branch", "[BRANCH]", kind="optional"),
                flag("dry_run", "Show what would be done, change nothing."),
                *_LANDING,
            ),
        ),
        # review
        Command(
            "check", "review", "The gate: is every record valid, every change legal?",
            (text("base", "Judge the changes since REF, as merged into it.", metavar="REF"), _AT),
        ),
        # set up
        Command(
            "init", "set up", "Begin a task graph here.",
            (text("layout", "Where tasks live.", metavar="LAYOUT",
                   choices=("single", "story", "task")),),
        ),
        Command(
            "import", "set up", "Bring tasks of another tool into the graph.",
            (arg("files", "FILE...", kind="rest"),
             flag("dry_run", "Show the result, write nothing."),
             text("prefix", "Put WORD before the ids of all tasks in the files.",
                   metavar="WORD")),
            "FILE is a graph of nodes and edges, a ticket with YAML front matter, a task list in "
            "Markdown, beads' JSON lines, what gh issue list --json prints, or what export wrote. "
            "Importing it again changes what has changed in it since.",
        ),
        Command(
            "export", "set up", "The tasks for other tools; import reads each format.",
            (
                arg("file", "[FILE]", kind="optional"),
                text("format", "jsonl (the default), markdown, or graph: nodes and edges.",
                      metavar="FORM", choices=("jsonl", "markdown", "graph")),
                flag("force", "Replace FILE if it exists."),
                _AT,
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
            "trust", "set up", "Allow this repository's verify commands to run.",
            (
                flag("yes", "Answer yes to the question."),
                flag("list", "Show what is trusted and what is not."),
                flag("revoke", "Take the consent back."),
            ),
        ),
        Command("doctor", "set up", "Find what a crash or a setting left behind.",
                (flag("fix", "Mend what is safe to mend."),)),
        Command("completion", "set up", "The completion script for a shell.",
                (Param("shell", (), "", "text", "SHELL", ("bash", "zsh", "fish")),), outside=True),
    )
}  # fmt: skip

GROUPS = ("look", "work", "loop", "prove", "review", "set up")


def module_of(command: str) -> str:
    """Where the command's `run` is."""
    return f"ralphgit.cli.commands.{command.replace('-', '_')}"
