"""Describe the commands for loops, worktrees, fleets and batches."""

import re
from collections.abc import Iterable

from ralphgit.cli.command_spec import Command, arg, flag, integer, many, of, text
from ralphgit.cli.shared_options import (
    FETCH,
    PRIORITY,
    PROVIDES,
    STORY,
    WORKER,
    dollars,
    interval,
    seconds,
)
from ralphgit.errors import UsageError
from ralphgit.model.listed import Listed


def _agents(folder: str) -> Iterable[Listed]:
    from ralphgit.loop import agent_command

    return agent_command.listed(folder)


def _hosts(words: str) -> tuple[str, ...]:
    hosts = tuple(dict.fromkeys(word.strip() for word in words.split(",")))
    if not all(re.fullmatch(r"[^\s-]\S*", host) for host in hosts):
        raise UsageError(f"{words!r} is no list of hosts", hint="--on HOST or --on HOST,HOST")
    return hosts


COMMANDS = (
    Command(
        "run", "loop", "Take tasks one after the other until none is left.",
        (
            flag("once", "Stop after one task."),
            integer("max_tasks", "Stop after N tasks."),
            text("max_cost", "Stop after the attempt with which the agents have cost so much.",
                  metavar="USD", parse=dollars),
            text("max_time", "Stop after the attempt during which so much time is over.",
                  metavar="SECONDS", parse=seconds),
            text("task", "Only this task, then stop.", metavar="ID", task=True),
            STORY, PRIORITY, WORKER, PROVIDES,
            text("agent", "The coding agent: a profile, one of those below, or a command that "
                  "reads the prompt on stdin.", metavar="AGENT", listed=_agents),
            flag("only_profile", "Leave tasks that do not ask for the profile of --agent."),
            text("land", "How work gets into the base.", metavar="WAY",
                  choices=("auto", "pr", "merge", "none")),
            text("idle", "What to do while nothing is ready.", metavar="WAY",
                  choices=("exit", "wait")),
            text("branch", "One for each task, or go on with the one here.",
                  metavar="WAY", choices=("task", "keep")),
            text("role", "Do tasks, or review what others have done.", metavar="ROLE",
                  choices=("work", "review")),
            flag("stack", "Go on from work on this branch alone; land nothing."),
        ),
    ),
    Command(
        "worker", "loop", "One stateless worker: clones URL, and does its tasks.",
        (
            arg("url", "URL"),
            flag("trust", "Agree to run what that repository names."),
            text("reference", "Take objects from a repository here.", metavar="DIR"),
            integer("max_tasks", "Stop after N tasks."),
            text("max_cost", "Stop after the attempt with which the agents have cost so much.",
                  metavar="USD", parse=dollars),
            text("max_time", "Stop after the attempt during which so much time is over.",
                  metavar="SECONDS", parse=seconds),
            STORY, PRIORITY, WORKER, PROVIDES,
            text("agent", "The coding agent, as for run.", metavar="AGENT", listed=_agents),
            flag("only_profile", "Leave tasks that do not ask for the profile of --agent."),
            text("land", "How work gets into the base.", metavar="WAY",
                  choices=("auto", "pr", "merge")),
            text("idle", "What to do while nothing is ready.", metavar="WAY",
                  choices=("exit", "wait")),
            text("role", "Do tasks, or review what others have done.", metavar="ROLE",
                  choices=("work", "review")),
        ),
        "All that counts is on the remote: any number may be started, stopped and killed.",
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
         text("task", "The log of this task.", metavar="ID", task=True),
         flag("loop", "What the loop did, as JSON lines.")),
    ),
    Command(
        "worktree", "loop", "The workers' worktrees: new, list, remove, prune.",
        (
            arg("action", "ACTION", choices=("new", "list", "remove", "prune")),
            arg("name", "[NAME]", kind="optional"),
            *of("new",
                text("story", "A loop in it takes only tasks of this story.", metavar="S"),
                text("from", "Begin at this branch, for claim --stack.", metavar="BRANCH",
                     field="start"),
                flag("no_fetch", "Begin at the base as it was fetched before.",
                     unsets="from_fetched"),
            ),
            *of("list, remove, prune", FETCH),
            *of("remove", text("force", "Keep all its work in a rescue ref, then remove it.",
                               metavar="REASON")),
            *of("prune", flag("dry_run", "Show what would be removed, change nothing.")),
        ),
        "new NAME makes ../<repo>-NAME on a new branch feature/NAME from the fetched base. "
        "remove NAME refuses while anything in it is not on the base. prune removes those "
        "whose work has landed, also by a squash merge.",
    ),
    Command(
        "fleet", "loop", "Several loops: up, status, attach, down, manifest.",
        (
            arg("action", "ACTION", choices=("up", "status", "attach", "down", "manifest")),
            *of("up, attach, down", arg("name", "[NAME]", kind="optional")),
            *of("up, manifest",
                integer("number", "How many workers, w1 to wN.", "-n", "--number"),
                many("story", "A worker for this story; repeatable.", metavar="S",
                     field="stories"),
                text("agent", "The coding agent, as for run.", metavar="AGENT",
                     listed=_agents),
                text("land", "How work lands.", metavar="WAY",
                      choices=("auto", "pr", "merge", "none")),
                flag("trust", "Agree to run what the repository names."),
                PROVIDES._replace(setting=False, metavar="NAMES"),
            ),
            *of("up",
                text("idle", "What a loop does while nothing is ready.", metavar="WAY",
                      choices=("exit", "wait")),
                text("wake", "Stay, and run this now and then.", metavar="CMD"),
                text("every", "How often: 10m, 1h, 90s.", metavar="INTERVAL", parse=interval),
                flag("tmux", "Only in a tmux session."),
                flag("no_tmux", "In the background, also where there is tmux."),
            ),
            *of("up, status, down",
                text("on", "Workers on these machines, by ssh.", metavar="HOST[,HOST]",
                     parse=_hosts),
            ),
            *of("up, status, down, manifest",
                text("url", "The repository; alone: here.", metavar="URL"),
            ),
            *of("status", flag("fetch", "Fetch first, and ask the machines of --on.")),
            *of("manifest",
                text("for", "For which engine.", metavar="ENGINE",
                     field="engine", choices=("slurm", "kubernetes", "github-actions")),
                text("image", "What kubernetes runs.", metavar="IMAGE"),
            ),
            *of("down", flag("now", "At once; agents are stopped, claims stay.")),
        ),
        "up starts a loop in each worktree and makes those that are missing; with --on it starts "
        "workers on other machines, with --url NAME-1 to NAME-N here. down ends all after a task.",
    ),
    Command(
        "batch", "loop", "Groups of independent tasks, one after the other: plan, run.",
        (
            arg("action", "ACTION", choices=("plan", "run")),
            STORY,
            integer("at_once", "At most N tasks at once."),
            flag("assume", "Group tasks without a write scope as if they were independent."),
            *of("plan", integer("limit", "The first N groups.")),
            *of("run", text("agent", "The coding agent, as for run.", metavar="AGENT",
                     listed=_agents)),
        ),
        "Parallel tasks that follow each other in a story form a group; verify and sequential "
        "tasks, and those without a write scope, run alone. run works on a group in the "
        "worktrees b1, b2, ..., integrates what is complete, retries what failed alone, and "
        "goes on with the next group. After a crash, repeat it.",
    ),
)  # fmt: skip
