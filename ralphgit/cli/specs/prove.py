"""Describe the commands for evidence, reviews, independence and integration."""

from ralphgit.cli.command_spec import Command, arg, flag, many, of, text
from ralphgit.cli.shared_options import FETCH, NO_FETCH, TASKS, WORKER

LANDING = (
    flag("accept_concerns", "Land also what was completed with concerns: you have looked at it."),
    flag("no_push", "Leave the result on the local base branch.", unsets="push"),
    NO_FETCH,
)

COMMANDS = (
    Command(
        "independence", "prove", "Which tasks may run together, and why others must not.",
        (
            TASKS,
            flag("ready", "The tasks that next shows (so it is without ID and --story)."),
            text("story", "The unfinished tasks of this story.", metavar="S"),
            flag("branches", "Also merge the branches in flight with each other, in memory."),
            flag("assume", "Group tasks without a write scope as if they were independent."),
            flag("suggest_modes", "Also say which tasks follow each other without need."),
        ),
        "Prints each pair that must not run together, with the reason and a path that both "
        "cover, then groups that may be started one after the other. Exit 1 where tasks that "
        "were named by ID conflict; --ready and --story only list, so 0.",
    ),
    Command(
        "evidence", "prove", "What was observed about tasks: add, list, verify.",
        (
            arg("action", "ACTION", choices=("add", "list", "verify")),
            TASKS,
            *of("add",
                text("shows", "What a reader may conclude from it."),
                text("does_not_show", "What a reader must not conclude from it."),
                text("artifact", "The file that shows it.", metavar="PATH"),
                text("kind", "How it was observed.", metavar="KIND",
                      choices=("observation", "artifact", "review")),
                many("proves", "A criterion that it shows to hold; repeatable.",
                      metavar="CRITERION"),
                many("partially", "One that it speaks for in part; repeatable.",
                      metavar="CRITERION"),
                many("challenges", "One that it speaks against; repeatable.",
                      metavar="CRITERION"),
            ),
            *of("list",
                text("at", "Any revision instead of this worktree's files.",
                      metavar="REV"),
                flag("stale", "Only what no longer counts."),
            ),
            *of("verify", flag("rerun", "Run the commands of stale evidence again.")),
            *of("add", WORKER),
        ),
        "Evidence is bound to the content of the files in the task's scope: while they are "
        "as they were it is fresh, once they change it is stale. Records are never edited. "
        "add and verify --rerun stage what they write; it travels with your next commit.",
    ),
    Command(
        "audit", "prove", "Reviews of the work on tasks: add, list.",
        (
            arg("action", "ACTION", choices=("add", "list")),
            TASKS,
            *of("add",
                text("verdict", "What the review comes to.", metavar="VERDICT",
                      choices=("clear", "concerns", "changes-needed", "inconclusive")),
                text("target", "What was reviewed; without it, this worktree.",
                      metavar="REV"),
                text("by", "Who reviewed.", metavar="NAME"),
                many("lens", "A point of view that was taken; repeatable.", field="lenses"),
                many("context", "What was read besides the target; repeatable."),
                many("finding", "A finding, as SEVERITY: TEXT; repeatable.", field="findings"),
                many("dispose", "What became of a finding; repeatable.", field="disposals",
                      metavar="REVIEW/FIND-N=WORD"),
                text("residual_risk", "What could still be wrong."),
            ),
            *of("list",
                text("at", "Any revision instead of this worktree's files.",
                      metavar="REV"),
                flag("open", "Only what has open findings."),
            ),
        ),
        "A review is bound to the content that was reviewed. A task with risk: high or "
        "review: NAME lands only with a clear review, not by its worker, of what is to land.",
    ),
    Command(
        "reconcile", "prove", "What came back from workers, against their packets.",
        (arg("branches", "BRANCH...", kind="rest"), FETCH),
    ),
    Command(
        "integrate", "prove", "Merge branches in a good order, prove the result, land it.",
        (
            arg("branches", "BRANCH...", kind="rest"),
            flag("dry_run", "Show order, conflicts and what goes stale; change nothing."),
            *LANDING,
        ),
        "Branches come after those they depend on, and those with the fewest conflicts first. "
        "All verify commands of what is merged run on the result, in a worktree of their own. "
        "The first coupling that the packets did not foresee ends it: what was merged before "
        "it is proved and lands.",
    ),
    Command(
        "land", "prove", "Bring finished work to the base: this worktree's, a branch's, or all.",
        (
            arg("branch", "[BRANCH]", kind="optional"),
            flag("all", "All that is complete on this machine's branches, in an order that works."),
            text("land", "How: as land.mode says, or WAY.", metavar="WAY",
                  choices=("auto", "merge", "pr")),
            flag("dry_run", "Show what would be done, change nothing."),
            *LANDING,
        ),
        "Without BRANCH it is this worktree's, which stands on the base afterwards. Tasks that the "
        "branch adds or edits, blocks or gives back land, too; of a blocked task the record alone. "
        "Where work lands by pull request, each branch gets one, and what is in review is left.",
    ),
)  # fmt: skip
