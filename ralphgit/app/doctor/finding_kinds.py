"""Define what `doctor` can find: each code, what it means, and what fixes it."""

from collections.abc import Mapping
from typing import NamedTuple


class Finding(NamedTuple):
    """Something that is not as it should be."""

    code: str
    """A key of KINDS."""
    severity: str
    """error, warning, advice (no reason to fail), or info (shown only on request)."""
    message: str
    hint: str
    """The command that fixes it, or what to do."""
    fixable: bool = False
    """Whether `--fix` fixes it."""
    fixed: bool = False

    @property
    def kind(self) -> "Kind":
        return KINDS[self.code]


def fixable(code: str, severity: str, message: str, fixed: bool) -> Finding:
    """A finding that `--fix` fixes, or has fixed."""
    return Finding(code, severity, message, "ralphgit doctor --fix", fixable=True, fixed=fixed)


class Kind(NamedTuple):
    """What is common to all findings of a code."""

    meaning: str
    """Why it matters, as a sentence."""
    fix: str
    """What `--fix` does about it, or what a person can do, as a sentence."""


KINDS: Mapping[str, Kind] = {
    # -- what was left behind
    "git_lock": Kind(
        "While one of git's lock files exists, every git command that needs it fails.",
        "--fix removes it if no running git can own it; if one does, wait for it.",
    ),
    "temporary_file": Kind(
        "A process was killed while it wrote this file; nothing reads it.", "--fix removes it."
    ),
    "empty_record": Kind(
        "A git process was killed after it created the file and before it wrote to it.",
        "--fix restores its committed content; a file that was never committed is removed.",
    ),
    "half_sharded": Kind(
        "Tasks may be in two files at once, or in none that is read.",
        "--fix completes the move, unless somebody has changed a file since.",
    ),
    "half_archived": Kind(
        "Tasks are in the graph and in the archive, or their records are in both.",
        "--fix removes files that the archive has; what was not committed, git takes back.",
    ),
    "unfinished_move": Kind(
        "The branch may have moved while a worktree's files did not, or the other way round.",
        "--fix takes the move back; repeat the command that was killed.",
    ),
    "diverged_base": Kind(
        "No command can move it along, and git pull merges what the remote has otherwise already.",
        "--fix moves it there, if all touch records alone; what it lacks is kept on a branch.",
    ),
    "left_worktree": Kind(
        "Commands were run in it to prove a merge; no worker is in it.", "--fix removes it."
    ),
    "not_excluded": Kind(
        "Without that line `git add -A` would commit a worktree's runtime state.",
        "--fix adds the line.",
    ),
    "runtime_tracked": Kind(
        "Runtime state of one worktree would be merged into others.",
        "Take it out of the index; the files stay.",
    ),
    "ref_in_the_way": Kind(
        "git keeps refs as files and folders, and this one is where a folder has to be: no worker "
        "can begin a task, or keep what it has done.",
        "Give it another name; it is somebody's own.",
    ),
    # -- leases and claims
    "bad_lease": Kind(
        "The ref guards nothing, because what it points at cannot be read as a lease.",
        "--fix deletes the ref.",
    ),
    "refused_refs": Kind(
        "Leases hold on this machine alone; between machines the merge decides, after the work.",
        "Let workers push to refs/ralph/*; --fix forgets it, and the next claim asks again.",
    ),
    "dead_lease": Kind("The base has moved past the claim that it guards.", "--fix deletes it."),
    "stale_lease": Kind(
        "No worker can take the task, and the one that has it cannot go on.",
        "reset frees the task, and keeps the work that was committed.",
    ),
    "unfinished_claim": Kind(
        "The base has the task in progress, and nothing is left that would complete it.",
        "complete --by verifies what was merged; reset frees the task.",
    ),
    "claim_lost": Kind(
        "Somebody else has the task on the base; what is done here cannot land.",
        "complete says who won, and keeps the work under refs/ralph/rescue/.",
    ),
    "removed_task": Kind(
        "What is done there cannot land, and under a new id nobody else takes the task up.",
        "complete says so there, and keeps the work; --fix drops the lease of one that is gone.",
    ),
    "record_missing": Kind(
        "A reset or a stash took the claim out of the files; the lease still has it.",
        "claim puts the record back.",
    ),
    "old_note": Kind(
        "The task would look as if somebody were still working on it.", "--fix removes the note."
    ),
    # -- the graph
    "no_graph": Kind(
        "No command can tell what there is to do.",
        "Fix the file at the line that is named, or begin a graph with init or import.",
    ),
    "unknown_dependency": Kind(
        "The task can never become ready.", "Correct depends_on; check shows the line."
    ),
    "mixed_line_endings": Kind(
        "A tool that normalises them would touch every task, and conflict with every claim.",
        "Renormalise it in a commit of its own, while nothing is claimed.",
    ),
    # -- settings of git
    "old_git": Kind(
        "Before 2.34 it lacks what ralphgit needs.",
        "Install a newer git.",
    ),
    "single_branch": Kind(
        "Tasks that others have claimed or finished look free.",
        "Have all branches fetched.",
    ),
    "shallow": Kind(
        "What has landed, and what was taken back, is told from history that is not there.",
        "Fetch the rest of the history.",
    ),
    "core_bare": Kind(
        "git takes the main worktree for a bare repository, and no command works in it.",
        "--fix sets core.bare to false, since the main worktree has an index.",
    ),
    "unchosen_base": Kind(
        "Work would be judged by, and land on, a branch that the remote does not have.",
        "Fetch which branch is the remote's own, or name the base in ralph.toml or with git config "
        "ralph.base.",
    ),
    "missing_filter": Kind(
        "Files that .gitattributes gives to it cannot be checked out or committed as they should.",
        "Install the program; for large files: git lfs install.",
    ),
    "rerere": Kind(
        "git would resolve a conflict between two claims as it was resolved before, and stage it.",
        "Turn it off.",
    ),
    "merge_attribute": Kind(
        "The conflict that decides between two claims would not appear.",
        "Remove the attribute, or limit it to other files.",
    ),
    "autocrlf": Kind(
        "One file that is checked in with CRLF makes every claim in it conflict.",
        "init puts attributes for graph files and records into .gitattributes.",
    ),
    # -- what init writes
    "old_schema": Kind(
        "Editors would report correct fields as wrong, or accept wrong ones.",
        "--fix writes this version's.",
    ),
    "outdated": Kind(
        "It describes another version of ralphgit.",
        "init updates it; nobody has edited it since.",
    ),
    "no_attributes": Kind(
        "Line endings of graph files and records depend on each clone's configuration.",
        "init puts attributes for them into .gitattributes.",
    ),
    "no_diff_driver": Kind(
        "The attributes name a diff driver that this clone does not have: hunks name no task.",
        "init sets it in this repository's configuration.",
    ),
    "missing_extra": Kind(
        "A command or a part of it needs a package that is not installed.",
        "Install the extra, if you want it.",
    ),
}
