"""Define the settings, their types and defaults."""

from typing import NamedTuple

from ralphgit.model import agent_profile
from ralphgit.model.agent_profile import AGENTS, AgentProfile
from ralphgit.model.ids import is_id

#: The file of settings at the top of a worktree.
SETTINGS_FILE = "ralph.toml"
#: Lock files of package managers, in any folder.
LOCK_FILES = (
    "**/package-lock.json", "**/npm-shrinkwrap.json", "**/yarn.lock", "**/pnpm-lock.yaml",
    "**/bun.lock", "**/bun.lockb", "**/deno.lock", "**/Cargo.lock", "**/go.sum",
    "**/go.work.sum", "**/uv.lock", "**/poetry.lock", "**/pdm.lock", "**/Pipfile.lock",
    "**/Gemfile.lock", "**/composer.lock", "**/mix.lock", "**/pubspec.lock", "**/Podfile.lock",
    "**/Package.resolved", "**/packages.lock.json", "**/gradle.lockfile", "**/flake.lock",
    "**/.terraform.lock.hcl",
)  # fmt: skip


class Config(NamedTuple):
    """Every setting; the comment beside each is its unit or its words."""

    graph: tuple[str, ...] = ("task-graph.yaml",)
    """Files and globs of the task graph."""
    records: str = "records"
    """The folder of evidence, audit and guidance."""
    generated: tuple[str, ...] = LOCK_FILES
    """Patterns of lock files and generated files: each has one owner at a time."""
    base: str = ""
    """The base branch; "" finds it (SPEC 6)."""
    remote: str = ""
    """The remote of the base branch; "" finds it."""
    lease: str = "local"
    """local, remote or off."""
    lease_expiry: float = 3600.0
    """Seconds without a sign of a loop on another machine after which its task is taken back."""
    worker: str = ""
    """This worktree's worker; "" takes the folder's name."""
    story: str = ""
    """The story whose tasks alone a loop here takes; "" is all."""
    provides: tuple[str, ...] = ()
    """What a worker here has that tasks may need: gpu, browser."""
    require_remote: bool = False
    """Refuse to claim when the remote cannot be reached."""
    max_graph_bytes: int = 8 * 1024 * 1024
    max_record_bytes: int = 256 * 1024
    verify_timeout: float = 900.0
    """Seconds for each verify command."""
    verify_required: bool = False
    """Refuse to complete, and to land, what nothing has verified."""
    verify_before: str = "risk-high"
    """For which tasks verify commands also run on the base without the work: never, risk-high (only
    those of high risk) or always."""
    verify_env: tuple[str, ...] = ("inherit",)
    """Names of the variables that verify commands see; "inherit" is all of them."""
    fetch_timeout: float = 30.0
    """Seconds for each fetch, and each push of a lease."""
    push_timeout: float = 600.0
    """Seconds for each push of work or records, with the user's hooks and large files."""
    git_timeout: float = 600.0
    """Seconds for each git command that runs hooks, filters or a signer, the network aside."""
    commit_subject: str = "{{ packet.task }}: {{ packet.title }}"
    """A Jinja2 template for the subject of the commits that ralphgit makes."""
    agent_command: str = ""
    """The coding agent: a preset's name or a command line."""
    agent_timeout: float = 3600.0
    """Seconds for each attempt."""
    agent_silence: float = 1800.0
    """Seconds without output or a change after which the agent is stopped, and tried again."""
    agent_attempts: int = 3
    """Failed attempts at a task after which it is blocked."""
    agent_prompt: str = ""
    """A Jinja2 template for the prompt, read from the base commit; "" is the usual one."""
    agents: tuple[AgentProfile, ...] = ()
    """Profiles, for the tasks that ask for one; each of their settings is one of its own."""
    review_rounds: int = 2
    """How often what a reviewer wants changed goes back to the agent; 0 leaves it to a person."""
    review_lenses: tuple[str, ...] = ("correctness", "tests", "security", "simplicity")
    """The points of view that a reviewing agent is asked to take."""
    review_other_model: bool = False
    """Whether a clear review by the model that did the work is none."""
    loop_check: float = 60.0
    """Seconds between two looks at the base while the agent works."""
    loop_idle: float = 15.0
    """Seconds between two looks for work while there is none (`--idle wait`)."""
    loop_backoff: float = 5.0
    """Seconds to wait after a first failed attempt; doubles each time, up to 5 minutes."""
    loop_failures: int = 5
    """Failed attempts in a row, whatever the task, after which the loop pauses."""
    loop_cooldown: float = 300.0
    """Seconds of that pause, and at least after a limit that does not say how long."""
    log_bytes: int = 16 * 1024 * 1024
    """The size of an attempt's log, at most."""
    land_mode: str = "auto"
    """auto, pr, merge or none."""
    land_base: str = "push"
    """push, which ends in a pull request where the remote declines it for good, or pr from the
    start: how what people change, and records, get to the base."""
    land_concerns: bool = False
    """Whether work that was completed with concerns lands by merge; else a person lands it."""
    land_via: str = "auto"
    """How a pull request is opened: auto, gh, glab, gitea, push-options, none, or a command."""
    land_remote: str = ""
    """The remote that branches of work are pushed to; "" is git's own choice, else the base's."""
    land_auto_merge: str = "never"
    """Which work the forge is to merge as soon as its own rules allow: never, low (tasks of risk:
    low) or always; in any case only what is verified and clear."""
    land_method: str = "merge"
    """How the forge is to merge it then: merge, squash or rebase."""
    land_fixes: int = 0
    """How often the agent gets a pull request back whose checks fail, that conflicts, or that a
    reviewer wants changed; 0 leaves it to a person."""
    land_poll: float = 60.0
    """Seconds between two looks at the pull requests that are open."""
    integrate_verify: str = ""
    """A command that proves the whole, run on what `integrate` and `land` have merged."""
    batch_at_once: int = 3
    """Tasks of a group of `batch`, at most."""
    import_marks: tuple[str, ...] = ()
    """Signs in the boxes of task lists that `import` is to know, as MEANING:SIGNS."""
    fleet_stagger: float = 2.0
    """Seconds between the starts of two loops of a fleet."""
    notify_command: str = ""
    worktree_setup: str = ""
    worktree_check: bool = False
    """Whether a loop runs verify commands on the untouched base before the first attempt."""


CHOICES = {"verify_before": ("never", "risk-high", "always"),
           "lease": ("local", "remote", "off"), "land_mode": ("auto", "pr", "merge", "none"),
           "land_base": ("push", "pr"), "land_method": ("merge", "squash", "rebase"),
           "land_auto_merge": ("never", "low", "always")}  # fmt: skip

#: The words of `land_via`; anything else is a command line.
VIAS = ("auto", "gh", "glab", "gitea", "push-options", "none")

#: Settings that weaken a guard or run something: a branch must not change them for itself,
#: so of the repository's files only the base commit's has a say.
SAFETY = frozenset((
    "lease", "lease_expiry", "require_remote", "max_graph_bytes", "max_record_bytes",
    "verify_timeout", "verify_env", "verify_required", "verify_before", "agent_command",
    "agent_prompt", "agent_timeout", "agent_silence", AGENTS, "land_base", "land_mode", "land_via",
    "land_remote", "land_concerns", "land_auto_merge", "land_fixes", "land_method",
    "integrate_verify", "notify_command", "worktree_setup", "worktree_check", "review_rounds",
    "review_other_model",
    "review_lenses",
))  # fmt: skip

#: Which branch is the base: these count as committed on the remote's default branch, else where
#: the main worktree is.
PLACE = frozenset(("base", "remote"))
#: Where it has the graph and the records: these count as the base has them.
LAYOUT = frozenset(("graph", "records"))
#: What a worktree's own file has no say in.
COMMITTED = SAFETY | PLACE | LAYOUT
#: The tables of `ralph.toml`.
_TABLES = frozenset((
    "agent", "batch", "commit", "fetch", "fleet", "git", "import", "integrate", "land", "log",
    "loop", "notify", "push", "review", "verify", "worktree",
))  # fmt: skip
#: Places that spell settings in their own way.
ENVIRONMENT, GIT_CONFIG = "the environment", "git config"
_SPELLINGS = {name.replace("_", ""): name for name in Config._fields if name != AGENTS}


def setting_name(spelling: str) -> str | None:
    """Return the field that `verify.timeout`, `RALPH_VERIFY_TIMEOUT` or `requireRemote` means.

    Of a profile the setting is called as it is written: `agents.NAME.command`.
    """
    if spelling.startswith(f"{AGENTS}."):
        name, _, key = spelling.removeprefix(f"{AGENTS}.").rpartition(".")
        return spelling if is_id(name) and key in agent_profile.DEFAULTS else None
    return _SPELLINGS.get(spelling.lower().replace("_", "").replace(".", ""))


def key_of(name: str) -> str:
    """Return a setting as `ralph.toml` spells it: `verify.timeout` of `verify_timeout`."""
    table, _, key = name.partition("_")
    return f"{table}.{key}" if table in _TABLES else name


def spelled(name: str, where: str) -> str:
    """Return a setting as it is spelled where it was made, one of the places of `settle`."""
    if where == ENVIRONMENT:
        return f"RALPH_{name.upper()}"
    return f"ralph.{key_of(name)}" if where == GIT_CONFIG else key_of(name)


def family(name: str) -> str:
    """Return the field of `Config` that a setting belongs to."""
    return AGENTS if name.startswith(f"{AGENTS}.") else name


def flat(config: Config) -> dict[str, object]:
    """Return every setting by its name; of profiles those that are set."""
    found = config._asdict()
    return {**agent_profile.as_settings(found.pop(AGENTS)), **found}
