"""List every rule of the gate: its code, what it finds, why that matters, how to fix it.

`check` reports nothing that is not in here; SARIF, `docs/rules.md` and the schema of the JSON
answer are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Rule(NamedTuple):
    code: str
    level: str
    """error, which the gate stops, or warning, which it only shows."""
    summary: str
    """What is wrong, in one sentence."""
    why: str
    fix: str
    eased: str = ""
    """When it is a warning although its level is error."""

    @property
    def anchor(self) -> str:
        """Where it is in `docs/rules.md`."""
        return f"#{self.code}"


class Group(NamedTuple):
    title: str
    view: str
    """In which views these rules are looked at."""
    rules: tuple[Rule, ...]


_EVERYWHERE = "Looked at in every view: the working files, `--at`, a range, `--base`."
_CHANGES = (
    "Looked at where a change is judged: a range, `--base`, and in the working files what "
    "is not committed yet."
)
_BRANCHES = "Looked at where a branch is judged: `--base`, and in part in a range."


def _error(code: str, summary: str, why: str, fix: str, eased: str = "") -> Rule:
    return Rule(code, "error", summary, why, fix, eased)


def _warning(code: str, summary: str, why: str, fix: str) -> Rule:
    return Rule(code, "warning", summary, why, fix)


_ONE_READING = "Readers of YAML differ in what they make of it, so two people would see two graphs."

GROUPS = (
    Group("Text", _EVERYWHERE, (
        _error("not_utf8", "A file is not UTF-8.", "What it says would depend on who reads it.",
               "Save the file as UTF-8."),
        _error("too_large", "A file has more bytes than the limit.",
               "A file of any size would be read on every command, by everybody.",
               "Split it (`ralphgit shard`), or raise `max_graph_bytes` or `max_record_bytes` on "
               "the base."),
        _error("control_character", "A record has a control character, or what is no character.",
               "It can hide what a reviewer sees, make a terminal act, or end a word that is run.",
               "Remove it, also where it is written as an escape."),
        _error("conflict_marker", "A conflict marker was left in a record.",
               "A merge was committed before it was resolved.",
               "Choose a side, edit the file, `git add` it."),
        _error("directive", "A record has a YAML directive.",
               "`%YAML 1.1` makes `no` a false: it changes what all other lines mean.",
               "Remove the line that begins with %."),
        _error("several_documents", "A file holds more than one YAML document.", _ONE_READING,
               "Move the second document to a file of its own."),
        _error("syntax", "A file is not valid YAML.",
               "Nothing in it can be checked.",
               "Look at the indentation; text with a sign such as `: # [ {` may need quotes."),
        _error("duplicate_key", "A mapping has a key twice.",
               "Some readers keep the last one and some refuse; a merge makes such pairs without a "
               "conflict.", "Keep one of the two lines."),
        _error("anchor", "A record has an anchor.",
               "A few lines of aliases expand to gigabytes, and a block can no longer be read "
               "alone.", "Write the value out."),
        _error("alias", "A record has an alias.",
               "A few lines of aliases expand to gigabytes, and a block can no longer be read "
               "alone.", "Write the value out."),
        _error("tag", "A record has a YAML tag.",
               "Tags make some readers build objects, and so run code.",
               "Remove it, or quote the text."),
        _error("merge_key", "A record has the merge key `<<`.", _ONE_READING,
               "Write the keys out."),
        _error("too_deep", "Mappings and lists nest too deep.",
               "Reading them takes time that grows with the square of the depth.",
               "Flatten the structure."),
        _error("bad_settings", "The settings that a change brings cannot be read.",
               "They say where the graph and the records are, so every command would refuse.",
               "Fix `ralph.toml`; docs/configuration.md lists every setting."),
        _error("symbolic_link", "A graph file, a record or a folder of them is a symbolic link.",
               "git keeps where it leads, not what is there, and it may lead out of the "
               "repository.", "Put the file itself there."),
        _error("no_folder", "A file or a submodule stands in place of a folder of the records.",
               "No record can be put there, so no task could be claimed any more.",
               "Remove it."),
        _error("runtime_tracked", "A file below `.ralph` is committed.",
               "It is the state of one worktree: in another one a loop would take it for its own, "
               "the verdict of a review, too.", "`git rm -r --cached .ralph`, and commit that.",
               "only the working files have it: they are where it belongs"),
    )),
    Group("Form", _EVERYWHERE, (
        _error("bad_version", "A graph does not begin with a known version.",
               "A later form of the graph must not be half understood.",
               "Begin the graph with `version: 1`; graphs of other tools: `ralphgit import FILE`."),
        _error("invalid_record", "A task does not match the schema of a task.",
               "A task without id, title and a known status cannot be judged.",
               "Fix the field that is named; docs/format.md lists them all."),
        _error("schema", "A record does not match the schema of its kind.",
               "Evidence, audit and guidance are read by programs; what does not fit is passed "
               "over.", "Fix the field that is named; the schemas are in `schemas/`."),
        _error("misplaced", "A record is in another task's folder.",
               "It would count for nothing, or for a task that it is not about.",
               "`git mv` it to the folder of its task."),
        _error("wrong_name", "A record's id is not its file's name.",
               "So a copy of a record under a new name looks like a second observation.",
               "Remove the copy; to observe again, let ralphgit write another record."),
        _warning("orphan", "A record is about a task that is not in the graph.",
                 "The task was renamed or taken out, and its history is left behind.",
                 "Bring the task back (`ralphgit edit ID --cancel REASON` keeps history), or leave "
                 "it."),
        _warning("stranded_record", "Records of this graph are outside the records folder.",
                 "The folder has moved, and what a branch from before that brings is not read: "
                 "work looks unproved.",
                 "Move them to where `records` says."),
        _warning("stranded_graph", "A graph file that no setting names has tasks of the graph.",
                 "The graph has moved, and what is changed in the old file is read by nothing.",
                 "Bring what only it says into the graph, and remove it."),
        _warning("flow_style", "Two neighbouring tasks are written on one line each.",
                 "Claims of both would conflict, although they have nothing to do with each other.",
                 "`ralphgit edit ID --block` rewrites one of them."),
        _warning("unknown_profile", "A task asks for the profile of an agent that nobody has set.",
                 "Loops leave the task, or land its work without the review that it asks for.",
                 "Set `[agents.NAME]` in `ralph.toml`, or correct `agent` or `review`."),
        _warning("nothing_to_verify", "A task that only verifies has nothing to do it with.",
                 "It changes no file, so without a command or a criterion nothing would show that "
                 "it was done.",
                 "Give it a command (`ralphgit edit ID --verify COMMAND`) or a criterion."),
        _error("duplicate_criterion", "Two criteria of a task have the same id.",
               "Evidence that names one of them would prove both.",
               "Give one of them another id."),
        _warning("unknown_criterion", "A verify command proves a criterion that its task lacks.",
                 "The criterion that was meant stays open, whatever the command says.",
                 "Correct the id in `proves`, or add the criterion."),
    )),
    Group("Graph", _EVERYWHERE, (
        _error("duplicate_id", "Two tasks have the same id, ignoring case.",
               "Every record, ref and file of a task is found by its id.",
               "Rename one of the two."),
        _error("unknown_dependency", "A task depends on one that does not exist.",
               "It would wait forever.", "Add that task, or remove it from `depends_on`."),
        _error("cycle", "Tasks depend on each other in a circle.",
               "None of them could ever begin. Two branches can close a circle without a conflict.",
               "Remove one of the dependencies."),
        _error("bad_path", "The script of a task writes where no task has files.",
               "The built-in agent would write outside the worktree, or change what git runs.",
               "Name a path from the top of the repository, without `..`, and not in `.git` or "
               "`.ralph`."),
        _error("bad_pattern", "A pattern of a scope is not valid.",
               "A scope that is not valid protects nothing.",
               "docs/format.md describes patterns."),
    )),
    Group("Claims", _EVERYWHERE, (
        _error("inconsistent", "A task's lifecycle records do not match its status.",
               "In progress without a claim is what two identical edits leave, which git merges "
               "without a word; both believe that they have the task.",
               "Bring the task's block to what one side says, or claim it (`ralphgit claim ID`)."),
        _error("duplicate_claim", "Two tasks have the same claim.",
               "A claim's id is random: one of the two was moved or copied there.",
               "Restore the block of the task that was not claimed."),
        _error("moved_claim", "A claim is on a different task from the one it was made on.",
               "git's rename detection carries a change along to a similar file, without a "
               "conflict.", "Restore the block of the task."),
        _error("fenced",
               "A result or question belongs to a different claim from the one that the task has.",
               "The work of somebody who lost the task would count as the holder's.",
               "The task's own claim decides; remove the other side's record."),
        _error("stale_contract", "What a task promises has changed since it was claimed.",
               "The worker does, and proves, something other than what is asked for now.",
               "Complete it with `--accept-contract`, or restore the fields.",
               "nobody works on the task: it is complete, cancelled or blocked"),
        _error("foreign_claim", "Evidence names the claim of another task.",
               "It was copied: what was observed under that claim says nothing about this task.",
               "Remove the copy, and observe again: `ralphgit evidence verify --rerun`."),
        _error("copied_evidence", "Two records are about the same run of a command.",
               "One observation would count twice, or for a later attempt that never ran it.",
               "Remove the copy, and observe again: `ralphgit evidence verify --rerun`."),
        _error("wrong_digest",
               "Evidence has the digest of a different command line from the one it shows.",
               "It would count for one command, and show the reader another.",
               "Remove it, and observe again: `ralphgit evidence verify --rerun`."),
        _error("claim_lost", "The branch's claim no longer holds on the base.",
               "Somebody else has the task, or it was reset: merging would do it twice.",
               "Keep the work on a branch of its own, and claim another task."),
    )),
    Group("Records that must not change",
          "Looked at in every view; with `--at` evidence alone, by its history.", (
        _error("edited_evidence", "An evidence record was edited.",
               "What was observed cannot change later.",
               "Restore it; a new observation is another record."),
        _error("edited_audit", "An audit record was changed other than by appending to it.",
               "Who did what would no longer be known.", "Restore it from the base."),
        _error("edited_guidance", "A question was changed, or an answer was replaced.",
               "Work has been done by that answer.",
               "Restore it; a new question is another record."),
        _error("removed_evidence", "An evidence record was removed.",
               "A complete task would no longer be proved.", "Restore it.",
               "in a history, where no task is complete by it"),
        _error("removed_audit", "An audit record was removed.",
               "Who did what would no longer be known.", "Restore it."),
        _error("removed_guidance", "A question was removed.", "Work has been done by its answer.",
               "Restore it."),
        _error("archived_otherwise", "A change archives a task otherwise than it was.",
               "What is in the archive has to be what was reviewed and merged.",
               "Take the line out, and archive the task anew: `ralphgit archive ID`."),
        _error("archived_unfinished", "The archive has a task that is not finished.",
               "Nobody would ever be offered it.",
               "Restore the file; to go on with a task: `ralphgit archive --restore ID`."),
        _error("bad_archive", "A file of the archive cannot be read.",
               "Its tasks and their records would be lost, and what depends on them would wait.",
               "Restore it; after a merge, `ralphgit resolve` joins two versions."),
    )),
    Group("Moves", _CHANGES, (
        _error("illegal_move", "A task's status makes a transition that is not allowed.",
               "Only a reset takes a task back, and it says who lost it, and why.",
               "`ralphgit reset ID --reason TEXT`."),
        _error("epoch_lowered", "A task goes back to an earlier epoch.",
               "A reset would be undone, and the work of the old holder would count again.",
               "The base's reset decides; merge the base."),
        _error("claim_replaced", "A change replaces a valid claim with another one.",
               "It takes the task from its holder without a word.",
               "The claim on the base decides; claim another task."),
        _error("taken_back", "A change brings back a claim or commits that were taken back.",
               "It was reverted, or its history was rewritten: a branch that is older than that "
               "would bring it back unasked.",
               "Claim the task anew (`ralphgit claim ID`), and bring the work along; commits by "
               "`git cherry-pick`, on a branch from the base."),
        _warning("brought_back", "A change brings back, on purpose, a claim that was taken back.",
                 "It comes in a commit that was made after it was taken back, as a revert of the "
                 "revert is; its evidence is of the content of that time.",
                 "Merge it if the reason why it was taken back is gone."),
        _error("work_left", "A change takes back the records of a task, and leaves its work.",
               "The task would be done again, on top of what is there already.",
               "Take the work back as well: `ralphgit revert ID` does both.",
               "only a part of the work stays"),
        _error("result_replaced", "A change replaces the result of a complete task.",
               "It is not what was reviewed and merged.",
               "`ralphgit reset ID --reopen --reason TEXT`."),
        _error("edited_lifecycle",
               "A change edits who claimed, completed, blocked, reset or cancelled a task, when or "
               "why.",
               "Each change of state is a record of its own, under an id of its own.",
               "Bring the record back to what the base has."),
        _error("task_removed", "A task is taken out of the graph.",
               "Somebody works on it, and its history would have no task.",
               "`ralphgit edit ID --cancel REASON` keeps its history.",
               "no worker has it, and the graph stays in the files that it is in"),
        _warning("graph_removed", "A change takes out the graph and all records together.",
                 "So a repository leaves ralphgit; a graph that goes alone is an error.",
                 "Merge it if it is meant (see leaving.md); else restore the files from the base."),
    )),
    Group("Written by hand", _BRANCHES, (
        _error("status_without_event", "A task has a status that the audit of its claim lacks.",
               "Each command writes both, at the same moment: the status was edited by hand.",
               "Restore the task's block, then let `ralphgit` claim, block or complete it."),
        _error("event_without_status", "An audit says completed, and the task is not.",
               "Each command writes both: the event was added by hand, or the status taken back.",
               "Remove the event, or complete the task: `ralphgit complete ID`."),
        _error("carried_claim",
               "A change brings along a claim of another worker's branch, or work a review of "
               "another task.",
               "The holder still works on it: merged, it would be in progress by a branch that has "
               "none of its work, and the holder's own branch would conflict. `git stash pop` of "
               "another worktree's stash does so. A review counts as its reviewer's word.",
               "Take that task's block and audit out of the commit; its holder has both."),
    )),
    Group("Completion", _BRANCHES, (
        _error("imported_done",
               "A new task is complete because the file that it was imported from says so.",
               "Nothing here has verified it, and nobody has claimed it. A task that the base has "
               "is never completed like that, and no worker's branch brings one along.",
               "Look at the file that is named; import on a branch of its own.",
               "the change touches no task that the base has, and `verify.required` is not set"),
        _error("not_claimed", "A task is completed without a claim or without a result.",
               "Nobody has claimed to have done it, so two workers could.",
               "`ralphgit claim ID`, then `ralphgit complete ID`."),
        _error("missing_evidence", "A task is completed without passing evidence for each command.",
               "Done means that the task's own commands, as the base has them, have passed.",
               "`ralphgit complete ID` runs them and records what it saw."),
        _error("other_command",
               "A task is completed with evidence of commands that are not its own.",
               "A branch cannot choose by what it is judged: the commands are the base's.",
               "`ralphgit complete ID` runs them and records what it saw."),
        _error("unbound_evidence",
               "A task is completed with evidence of files that no commit of the change has.",
               "It is from somewhere else, or was written by hand: it says nothing of what is "
               "merged. Where the evidence of several tasks came in one commit, only "
               "`stale_evidence` is reported.",
               "Observe again: `ralphgit evidence verify ID --rerun`."),
        _error("early_evidence",
               "A task is completed with evidence from before the claim that it names.",
               "A claim's id is random, so nobody could name it then: it was copied. Clocks of two "
               "machines may differ by five minutes.",
               "Observe again: `ralphgit evidence verify ID --rerun`."),
        _warning("claim_time",
                 "A task is completed under a claim of a time that cannot be.",
                 "It is later than its own result, or earlier than the commit that it was made "
                 "from: who wrote the record wrote the time. Nothing depends on it. Clocks of two "
                 "machines may differ by five minutes.",
                 "Ask its worker; the commits say when the work came."),
        _error("work_missing", "A task is completed by a change that does not have its work.",
               "A conflict was resolved with its record and without its files: its commands passed "
               "on what is not merged.",
               "Bring the work, or `ralphgit complete ID` on what is there."),
        _error("other_work", "Work comes to a task that another claim has on the base.",
               "A conflict was resolved with the winner's record and the loser's files: what comes "
               "was judged by nobody.",
               "Restore those files from the base; the work stays on a branch of its own."),
        _error("other_evidence", "Evidence comes of a claim that the task does not have.",
               "The audit of that claim is not there, so nobody can tell whose it is.",
               "Take the evidence out of the branch, or bring the audit as well."),
        _error("work_undone", "A task stays complete, and all its work is taken back.",
               "A revert of the code alone: nobody would do the task again, and its evidence is of "
               "what is gone.",
               "Take its records back as well: `ralphgit revert ID` does both."),
        _warning("stale_evidence", "What a task was judged by has changed since.",
                 "The command passed, or somebody saw it, on other content than what is merged.",
                 "Run the commands on the merged result (`ralphgit integrate` does); say what is "
                 "seen now with `ralphgit evidence add`."),
        _warning("unfinished_claim", "A change brings a claim without its completion.",
                 "Once it is merged the task is in progress on the base, and nothing is left that "
                 "would complete it: it is held for ever.",
                 "Before it is merged: `ralphgit complete ID`, or `ralphgit release ID`. "
                 "Afterwards: `ralphgit complete ID --by COMMIT`, or `ralphgit reset ID`."),
        _warning("forced", "A task was completed by force.",
                 "Its commands, outputs or scope were passed over; the audit says why.",
                 "Read the reason, and look at the work yourself."),
        _error("review_missing", "A task that asks for a review has no clear one by somebody else.",
               "`risk: high`, or `review: NAME`, says that one pair of eyes is not enough. A "
               "review that comes with the work may be its worker's own, in any name.",
               "As somebody else, on the base: `ralphgit audit add ID --verdict clear --target "
               "REV`.",
               "a review that comes with the work is clear"),
    )),
    Group("The branch", _BRANCHES, (
        _error("outside_scope", "A changed file is outside the write scope of the branch's tasks.",
               "Other loops rely on the scope: they work on what it does not cover.",
               "Remove the file from the branch, or widen the scope on the base.",
               "only the working files have it: nothing is decided before it is committed"),
        _warning("unverified", "A completed task was verified by nothing.",
                 "It has no verify command, and nobody has written down that a criterion holds. An "
                 "error where `verify.required` is set.",
                 "Look at it and `ralphgit evidence add ID --shows TEXT --proves ACC-1`, or give "
                 "the task a verify command."),
        _warning("scope_unproved", "It is unknown which task some of the changed files belong to.",
                 "One of the branch's tasks has no write scope, and these files, outside the "
                 "scopes of the others, were changed in a commit that was not made under it alone.",
                 "Give each task a write scope on the base, or land one task a branch."),
        _error("merge_conflict", "The branch conflicts with its base.",
               "It cannot be merged as it is; where a record conflicts, a claim is lost.",
               "Merge the base, and decide."),
        _error("unrelated", "The branch and its base share no history.",
               "What the branch changes is unknown. A shallow clone looks the same.",
               "In a shallow clone `git fetch --unshallow`, in CI check out the whole history. "
               "Where the base was begun anew, a new branch from it, and `git cherry-pick`."),
    )),
)  # fmt: skip

RULES: Mapping[str, Rule] = {rule.code: rule for group in GROUPS for rule in group.rules}
