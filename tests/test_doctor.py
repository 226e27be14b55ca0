"""`doctor`: what a crash or a setting left behind is found, and mended only where that is safe."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sealing import older
from test_landing import agent
from test_loop import made, task
from world import PATIENCE, ROOT, Place, Result, World

from ralphgit.app.doctor.finding_kinds import KINDS, Kind
from ralphgit.model.extras import EXTRAS

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending
  - id: T-2
    title: Second
    status: pending
"""
WELL = Result(0, "Nothing to fix.\n", "")
LONG_AGO = time.time() - 3600


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("The graph")
    return made


@pytest.fixture
def alpha(world: World) -> Place:
    return world.worktree("alpha")


def findings(
    place: Place, *words: str, code: int = 1, apart: bool = False
) -> list[tuple[str, str, bool, bool]]:
    """Code, severity, whether it can be fixed, and whether it was."""
    found = place.ralph("doctor", "--json", *words, apart=apart)
    assert (found.code, found.err) == (code, ""), found.out
    told = found.data["findings"]
    assert all(f["message"] and f["hint"] and f["meaning"] and f["mend"] for f in told)
    return [(f["code"], f["severity"], f["fixable"], f["fixed"]) for f in told]


def mended(place: Place, *codes: str) -> None:
    """`doctor` finds just `codes`; with --fix it mends them; then there is nothing to mend."""
    assert [code for code, *_ in findings(place, code=place.ralph("doctor").code)] == [*codes]
    told = findings(place, "--fix", code=0)
    assert told == [(code, severity, True, True) for code, severity, _, _ in told]
    assert [code for code, *_ in told] == [*codes]
    assert place.ralph("doctor") == WELL
    assert place.ralph("doctor", "--fix") == WELL


def git_dir(place: Place) -> Path:
    return Path(place.git("rev-parse", "--absolute-git-dir"))


def dead_process() -> int:
    """The number of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


# -- health ------------------------------------------------------------------------------


def test_nothing_is_wrong_while_work_goes_on(world: World, alpha: Place) -> None:
    assert world.ralph("doctor") == WELL
    alpha.claim("T-1")
    for place in (world, alpha):
        assert place.ralph("doctor") == WELL
    alpha.write("a.txt", "a\n")
    alpha.complete()
    for place in (world, alpha):
        assert place.ralph("doctor") == WELL


def test_without_fix_nothing_is_written(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    seed_everything(world, alpha)
    graph = alpha.path / "task-graph.yaml"
    graph.write_bytes(graph.read_bytes())
    before = world.snapshot()
    for place in (world, alpha):
        assert place.ralph("doctor").code == 1
    assert world.snapshot() == before


def seed_everything(world: World, alpha: Place) -> None:
    """One of each that can be mended."""
    for lock in (git_dir(alpha) / "index.lock", git_dir(world) / "packed-refs.lock"):
        lock.touch()
        os.utime(lock, (LONG_AGO, LONG_AGO))
    alpha.write(f".ralph-tmp-{dead_process()}-0-task-graph.yaml", "")
    oid = world.git("hash-object", "-w", "--stdin", stdin="no lease\n")
    world.git("update-ref", "refs/ralph/leases/T-9", oid)
    exclude = git_dir(world) / "info" / "exclude"
    exclude.write_text(exclude.read_text().replace("/.ralph/\n", ""))


def test_everything_at_once_is_mended_once(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    status = alpha.git("status", "--porcelain")
    seed_everything(world, alpha)
    mended(alpha, "not_excluded", "git_lock", "git_lock", "temporary_file", "bad_lease")
    assert alpha.git("status", "--porcelain") == status
    assert alpha.task("T-1")["status"] == "in-progress"


def test_what_is_said(world: World) -> None:
    lock = git_dir(world) / "index.lock"
    lock.touch()
    os.utime(lock, (LONG_AGO, LONG_AGO))
    assert world.ralph("doctor") == (
        1,
        "error: .git/index.lock was left by a git process that is gone [git_lock]\n"
        "  While one of git's lock files exists, every git command that needs it fails.\n"
        "  --fix removes it if no running git can own it; if one does, wait for it.\n"
        "  ralphgit doctor --fix\n",
        "error: 1 finding\nhint: ralphgit doctor --fix\n",
    )
    assert world.ralph("doctor", "--fix") == (
        0, "fixed: .git/index.lock was left by a git process that is gone\n", "",
    )  # fmt: skip


# -- locks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "refs/heads/main.lock",
     "refs/ralph/leases/T-1.lock", "worktrees/proj-alpha/index.lock",
     "worktrees/proj-alpha/HEAD.lock"],
)  # fmt: skip
def test_an_old_lock_of_git_goes(world: World, alpha: Place, name: str) -> None:
    lock = git_dir(world) / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    os.utime(lock, (LONG_AGO, LONG_AGO))
    mended(alpha, "git_lock")
    assert not lock.exists()
    world.git("pack-refs", "--all")
    alpha.claim("T-1")


def test_a_young_lock_stays(world: World) -> None:
    """Its git may be one that /proc does not show: in a container beside this one."""
    lock = git_dir(world) / "index.lock"
    lock.touch()
    for words in ((), ("--fix",)):
        assert findings(world, *words) == [("git_lock", "warning", False, False)]
    assert lock.exists()


@contextmanager
def committing(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """A `git commit -a` whose editor is open: it holds index.lock as long as that is so."""
    gate = place.path.parent / f"{place.path.name}.gate"
    os.mkfifo(gate)
    editor = f"sh -c 'cat {gate}'"
    process = subprocess.Popen(
        ["git", "commit", "--quiet", "-a", "--allow-empty", "-m", "Slow", "--edit"],
        cwd=place.path,
        env={**place.environ, "GIT_EDITOR": editor},
        stdin=subprocess.DEVNULL,
    )
    try:
        # Opening for writing waits until the editor reads: then the lock is held.
        with gate.open("wb"):
            yield process
    finally:
        process.wait(PATIENCE)


def test_a_lock_in_use_stays_however_old(world: World, alpha: Place) -> None:
    for place in (world, alpha):
        lock = git_dir(place) / "index.lock"
        with committing(place):
            assert lock.exists()
            os.utime(lock, (LONG_AGO, LONG_AGO))
            for words in ((), ("--fix",)):  # not in our process, whose child that git is
                seen = findings(world, *words, apart=True)
                assert seen == [("git_lock", "warning", False, False)]
            assert lock.exists()
        assert not lock.exists()
        assert world.ralph("doctor") == WELL


def test_the_lock_of_a_killed_git_goes(world: World) -> None:
    world.replace("title: First", "title: The first")
    lock = git_dir(world) / "index.lock"
    with committing(world) as process:
        process.kill()
        process.wait(PATIENCE)
    assert lock.exists()
    refused = world.ralph("claim", "T-2", "--json")
    assert (refused.code, refused.error) == (1, "index_locked")
    assert refused.json["error"]["hint"].endswith("ralphgit doctor --fix")
    os.utime(lock, (LONG_AGO, LONG_AGO))
    mended(world, "git_lock")
    world.claim("T-2")
    assert "title: The first" in world.read()


def test_a_git_elsewhere_is_no_reason_to_wait(world: World, tmp_path: Path) -> None:
    other = World(tmp_path / "elsewhere")
    lock = git_dir(world) / "index.lock"
    lock.touch()
    os.utime(lock, (LONG_AGO, LONG_AGO))
    with committing(other):
        mended(world, "git_lock")
    assert other.git("log", "-1", "--format=%s") == "Slow"


# -- temporary files ---------------------------------------------------------------------

PLACES = (".", "records/audit/T-1", "records/evidence/T-1", ".ralph", ".git/info")


@pytest.mark.parametrize("folder", PLACES)
def test_half_a_write_of_a_dead_process_goes(world: World, folder: str) -> None:
    path = world.write(f"{folder}/.ralph-tmp-{dead_process()}-3-x.yaml", "half")
    exclude = git_dir(world) / "info" / "exclude"
    exclude.write_text("/.ralph/\n.ralph-tmp-*\n")
    mended(world, "temporary_file")
    assert not path.exists()


@pytest.mark.parametrize("folder", PLACES)
def test_half_a_write_of_a_living_process_stays(world: World, folder: str) -> None:
    path = world.write(f"{folder}/.ralph-tmp-{os.getppid()}-3-x.yaml", "half")
    exclude = git_dir(world) / "info" / "exclude"
    exclude.write_text("/.ralph/\n.ralph-tmp-*\n")
    assert world.ralph("doctor", "--fix") == WELL
    assert path.exists()


def test_the_kept_index_of_a_dead_process_goes(world: World, alpha: Place) -> None:
    for place in (world, alpha):
        (git_dir(place) / f"index.ralph-{dead_process()}").write_bytes(b"old")
    (git_dir(world) / f"index.ralph-{os.getppid()}").write_bytes(b"old")
    mended(alpha, "temporary_file", "temporary_file")
    assert (git_dir(world) / f"index.ralph-{os.getppid()}").exists()


def test_records_without_a_byte_are_restored(world: World, alpha: Place) -> None:
    """A killed git had begun to write them. What has content is somebody's."""
    world.write("records/audit/T-1/k1.yaml", "x\n")
    world.write("records/audit/T-1/k2.yaml", "x\n")
    world.commit("Records")
    world.write("records/audit/T-1/k1.yaml", "")
    world.write("records/audit/T-1/k2.yaml", "mine\n")
    world.write("records/evidence/T-1/e1.yaml", "")
    world.write("records/notes.txt", "")
    world.write_graph("")
    told = world.ralph("doctor", "--json").data["findings"]
    assert [(one["code"], one["message"]) for one in told if one["code"] == "empty_record"] == [
        ("empty_record", f"{name} is empty: its writing was killed")
        for name in (
            "records/audit/T-1/k1.yaml", "records/evidence/T-1/e1.yaml", "task-graph.yaml",
        )
    ]  # fmt: skip
    assert world.ralph("doctor", "--fix").code == 0
    assert world.git("status", "--porcelain").splitlines() == [
        " M records/audit/T-1/k2.yaml",
        "?? records/notes.txt",
    ]
    assert world.ralph("doctor") == WELL


def test_files_of_somebody_else_stay(world: World) -> None:
    names = (".ralph-tmp-x", ".ralph-tmp-", "ralph-tmp-1-x", f".ralph-tmp-{'9' * 30}-0-x")
    for name in names:
        world.write(name, "mine")
    assert world.ralph("doctor", "--fix") == WELL
    assert all((world.path / name).exists() for name in names)


def test_numbers_of_processes_recur(world: World) -> None:
    """In a container every command has the same few numbers, also the one that was killed."""
    leave_and_run = """
import os, sys
for number in range(6):
    for name in ("task-graph.yaml", ".git/info/exclude"):
        folder, leaf = os.path.split(name)
        open(os.path.join(folder, f".ralph-tmp-{os.getpid()}-{number}-{leaf}"), "w").close()
open(f".git/index.ralph-{os.getpid()}", "w").close()
os.execv(sys.executable, [sys.executable, "-m", "ralphgit", *sys.argv[1:]])
"""
    for words in (("claim", "T-1"), ("doctor", "--fix")):
        done = world.run(sys.executable, "-c", leave_and_run, *words)
        assert done.code == 0, done.err
    assert world.ralph("doctor") == WELL
    assert world.task("T-1")["status"] == "in-progress"


# -- leases ------------------------------------------------------------------------------


def test_a_lease_that_the_base_has_moved_past_goes(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    oid = world.git("rev-parse", "refs/ralph/leases/T-1")
    alpha.write("a.txt", "a\n")
    alpha.complete()
    assert world.merge("alpha").code == 0
    if not world.leases:
        world.git("update-ref", "refs/ralph/leases/T-1", oid)
    assert findings(world, code=0) == [("dead_lease", "advice", True, False)]
    mended(world, "dead_lease")
    assert world.leases == []


def test_a_lease_that_nobody_can_read_goes(world: World) -> None:
    for name, content in (("T-1", "id: &a\n"), ("T-2", "no lease\n"), ("T-3", "\0")):
        oid = world.git("hash-object", "-w", "--stdin", stdin=content)
        world.git("update-ref", f"refs/ralph/leases/{name}", oid)
    world.git("update-ref", "refs/ralph/leases/T-4", "HEAD")
    mended(world, *["bad_lease"] * 4)
    assert world.leases == []


def test_a_lease_whose_worktree_is_gone_is_for_a_reset(world: World, alpha: Place) -> None:
    """It may guard commits that nobody has merged: `reset` keeps these first."""
    alpha.claim("T-1")
    world.git("worktree", "remove", "--force", str(alpha.path))
    for words in ((), ("--fix",)):
        assert findings(world, *words) == [("stale_lease", "error", False, False)]
    (told,) = world.ralph("doctor", "--json").data["findings"]
    assert told["message"] == f"T-1 is claimed by alpha, whose worktree {alpha.path} is gone"
    assert world.leases == ["T-1"]
    assert world.ralph("reset", "T-1", "--reason", told["code"]).code == 0
    assert world.ralph("doctor", "--fix").code == 0
    assert world.ralph("doctor") == WELL


def test_a_lease_of_another_machine_is_not_judged(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    text = world.git("cat-file", "blob", "refs/ralph/leases/T-1")
    host = next(line for line in text.splitlines() if line.startswith("host:"))
    text = text.replace(host, "host: elsewhere").replace(str(alpha.path), "/nowhere") + "\n"
    oid = world.git("hash-object", "-w", "--stdin", stdin=text)
    world.git("update-ref", "refs/ralph/leases/T-1", oid)
    assert world.ralph("doctor", "--fix") == WELL
    assert world.leases == ["T-1"]


# -- claims ------------------------------------------------------------------------------


def test_a_claim_that_has_lost_is_told_and_its_work_is_left(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("a.txt", "mine\n")
    record = "    status: in-progress\n    claim: {id: k-beta, by: beta}\n"
    world.write_graph(GRAPH.replace("    status: pending\n", record, 1))
    world.commit("Beta's")
    told = findings(alpha)
    assert ("claim_lost", "error", False, False) in told
    assert ("claim_lost", "error", False, False) in findings(alpha, "--fix")
    assert alpha.read("a.txt") == "mine\n"
    assert "alpha" in alpha.read()


def test_a_claim_whose_record_is_gone_is_told(alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.git("reset", "--quiet", "--hard")
    for words in ((), ("--fix",)):
        assert findings(alpha, *words) == [("record_missing", "warning", False, False)]
    (told,) = alpha.ralph("doctor", "--json").data["findings"]
    assert told["hint"] == "ralphgit claim T-1"
    alpha.claim("T-1")
    assert alpha.ralph("doctor") == WELL


def test_the_note_of_a_claim_that_has_landed_goes(world: World, alpha: Place) -> None:
    alpha.claim("T-1")
    alpha.write("a.txt", "a\n")
    alpha.complete()
    assert world.merge("alpha").code == 0
    for lease in world.leases:
        world.git("update-ref", "-d", f"refs/ralph/leases/{lease}")
    mended(alpha, "old_note")
    assert not (alpha.path / ".ralph/current.yaml").exists()


# -- settings ----------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["true", "yes", "on", "1", "True"])
def test_rerere_that_stages_old_answers(world: World, word: str) -> None:
    world.git("config", "rerere.autoupdate", word)
    for words in ((), ("--fix",)):
        assert findings(world, *words) == [("rerere", "warning", False, False)]
    world.git("config", "rerere.autoupdate", "false")
    assert world.ralph("doctor") == WELL


@pytest.mark.parametrize("attribute", ["merge=union", "merge=ours", "merge=mine", "-merge"])
@pytest.mark.parametrize("where", [".gitattributes", ".git/info/attributes"])
def test_a_merge_attribute_on_records(world: World, attribute: str, where: str) -> None:
    world.write(where, f"*.yaml {attribute}\n")
    for words in ((), ("--fix",)):
        assert findings(world, *words) == [("merge_attribute", "error", False, False)] * 2
    assert "\nerror: records/audit/*.yaml is merged by " in f"\n{world.ralph('doctor').out}"
    world.write(where, f"*.yaml text eol=lf\nother {attribute}\n")
    assert world.ralph("doctor") == WELL


def test_line_endings(world: World) -> None:
    world.git("config", "core.autocrlf", "true")
    assert findings(world, code=0) == [("autocrlf", "advice", False, False)]
    world.write(".gitattributes", "*.yaml text eol=lf\n")
    assert world.ralph("doctor") == WELL
    (world.path / ".gitattributes").unlink()
    world.git("config", "core.autocrlf", "false")
    world.write_graph(GRAPH.replace("\n", "\r\n"))
    assert world.ralph("doctor") == WELL
    world.write_graph(GRAPH.replace("First\n", "First\r\n"))
    assert findings(world) == [("mixed_line_endings", "warning", False, False)]
    fix(world)
    assert world.ralph("doctor") == WELL


def fix(world: World) -> None:
    """Type the command of the one finding."""
    (found,) = world.ralph("doctor", "--json").data["findings"]
    done = world.run("sh", "-c", found["hint"])
    assert done.code == 0, (found, done)


def test_a_graph_with_crlf_gets_attributes_by_the_command_that_is_told(world: World) -> None:
    world.git("config", "core.autocrlf", "true")
    world.write_graph(GRAPH.replace("\n", "\r\n"))
    (found,) = world.ralph("doctor", "--json").data["findings"]
    convert, _, init = found["hint"].partition(" && ")
    assert (found["code"], init) == ("autocrlf", "ralphgit init")
    assert world.run("sh", "-c", convert).code == 0
    assert world.ralph("init").code == 0
    assert world.ralph("doctor") == WELL


def test_runtime_state_that_is_committed(world: World) -> None:
    world.write(".ralph/heartbeat", "x\n")
    world.git("add", "--force", ".ralph/heartbeat")
    world.git("commit", "--quiet", "-m", "Oops")
    codes = [code for code, *_ in findings(world)]
    assert codes == ["runtime_tracked", "not_excluded"]
    assert [code for code, *_ in findings(world, "--fix")] == codes
    assert [code for code, *_ in findings(world)] == ["runtime_tracked"]
    assert (world.path / ".ralph/heartbeat").exists()


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("2.17.1", [("old_git", "error", False, False)]),
        ("2.34.1", []),
        ("2.38.0.windows.1", []),
        ("2.47.0-rc1", []),
        ("3.0.0", []),
    ],
)
def test_the_version_of_git(
    world: World, version: str, wanted: list[tuple[str, str, bool, bool]]
) -> None:
    real = world.run("sh", "-c", "command -v git").out.strip()
    program = world.folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        f'for word; do test "$word" = version && {{ echo git version {version}; exit; }}; done\n'
        f'exec {real} "$@"\n'
    )
    program.chmod(0o755)
    world.environ["PATH"] = f"{program.parent}{os.pathsep}{world.environ['PATH']}"
    assert findings(world, code=1 if version == "2.17.1" else 0) == wanted


# -- what init writes ---------------------------------------------------------------------


def test_what_another_version_wrote(world: World) -> None:
    assert world.ralph("init").code == 0
    schema = ".ralph/schemas/config.schema.json"
    new = world.read(schema)
    world.write(schema, "{}")
    assert findings(world, code=0) == [("old_schema", "advice", True, False)]
    mended(world, "old_schema")
    assert world.read(schema) == new
    for name in ("AGENTS.md", "ralph.just"):
        world.write(name, older(world.read(name)))
    told = world.ralph("doctor", "--json").data["findings"]
    assert [(one["code"], one["message"], one["hint"]) for one in told] == [
        ("outdated", f"{name} is as another version of ralphgit wrote it", "ralphgit init")
        for name in ("ralph.just", "AGENTS.md")
    ]
    assert world.ralph("init", "--json").data["renewed"] == ["ralph.just", "AGENTS.md"]
    assert world.ralph("doctor") == WELL
    # What somebody has changed is theirs.
    world.write("AGENTS.md", world.read("AGENTS.md").replace("## Tasks", "## Mine"))
    assert world.ralph("doctor") == WELL


def test_what_is_missing_and_does_no_harm_is_told_on_request(world: World) -> None:
    def told() -> list[str]:
        found = world.ralph("doctor", "-v", "--json")
        assert (found.code, {one["severity"] for one in found.data["findings"]} - {"info"}) == (
            0, set(),
        )  # fmt: skip
        codes = [one["code"] for one in found.data["findings"]]
        return [code for code in codes if code != "missing_extra"]

    assert told() == ["no_attributes"]
    assert world.ralph("init").code == 0
    assert told() == []
    world.git("config", "--unset", "diff.ralphgit.xfuncname")
    assert told() == ["no_diff_driver"]
    assert world.ralph("doctor") == WELL
    assert "info: git does not know the diff driver ralphgit [no_diff_driver]\n" in (
        world.ralph("doctor", "-v").out
    )
    optional = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {
        extra: re.split(r"\W", needs[0])[0]
        for extra, needs in optional["optional-dependencies"].items()
    }
    assert named == EXTRAS


def test_every_code_is_explained_and_documented() -> None:
    """The table in the documentation has what the code has, and no other code is used."""
    text = (ROOT / "docs" / "setup.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", text, re.M)
    assert [(code, Kind(*words)) for code, *words in rows] == [*KINDS.items()]
    doctor = ROOT / "ralphgit" / "app" / "doctor"
    sources = "".join(path.read_text() for path in sorted(doctor.glob("*.py")))
    assert set(re.findall(r'(?:Finding|fixable)\(\s*"(\w+)"', sources)) == set(KINDS)


# -- the graph ---------------------------------------------------------------------------


def test_an_unknown_dependency(world: World) -> None:
    world.write_graph(GRAPH + "    depends_on: [T-9]\n")
    world.commit("T-9")
    assert findings(world) == [("unknown_dependency", "warning", False, False)]


def test_a_graph_that_cannot_be_read_hides_nothing_else(world: World) -> None:
    world.write_graph("version: 2\n")
    world.commit("Broken")
    lock = git_dir(world) / "index.lock"
    lock.touch()
    os.utime(lock, (LONG_AGO, LONG_AGO))
    assert [code for code, *_ in findings(world)] == ["git_lock", "no_graph"]
    assert [(code, fixed) for code, *_, fixed in findings(world, "--fix")] == [
        ("git_lock", True), ("no_graph", False),
    ]  # fmt: skip


def test_a_repository_without_a_commit_or_a_graph(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert [code for code, *_ in findings(world)] == ["no_graph"]
    world.commit()
    assert [code for code, *_ in findings(world)] == ["no_graph"]


def test_a_bare_repository(world: World) -> None:
    assert world.origin.ralph("doctor") == WELL


@pytest.mark.parametrize(
    ("ref", "way"),
    [
        ("refs/heads/ralph", "git branch -m ralph other"),
        ("refs/heads/feature", "git branch -m feature other"), ("refs/ralph", ""),
        ("refs/ralph/rescue", ""), ("refs/ralph/rescue/T-1", ""),
    ],
)  # fmt: skip
def test_a_ref_where_a_folder_has_to_be(ref: str, way: str, world: World) -> None:
    world.git("update-ref", ref, "HEAD")
    aside = ref.replace("refs/", "refs/aside/")
    way = way or f"git update-ref {aside} {ref} && git update-ref -d {ref}"
    done = world.ralph("doctor", "--json")
    (found,) = (one for one in done.data["findings"] if one["code"] == "ref_in_the_way")
    assert found["hint"].replace("OTHER", "other") == way
    assert found["message"].startswith(f"{ref} leaves no room for what is kept below refs/")
    assert world.run("sh", "-c", way).code == 0
    assert world.ralph("doctor") == WELL


def test_a_loop_ends_at_it_and_says_what_to_do(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [f.txt]"))
    alpha.git("update-ref", "refs/heads/ralph", "HEAD")
    words = ("run", "--once", "--land", "merge", "--agent", agent(alpha, "echo good > f.txt"))
    ran = alpha.ralph(*words)
    assert (ran.code, ran.err.splitlines()[-1]) == (7, "hint: git branch -m ralph OTHER"), ran.err
    assert ran.err.count("refs/heads/ralph leaves no room for refs/heads/ralph/T-1-") == 1
    alpha.git("branch", "-m", "ralph", "other")
    assert alpha.ralph(*words).out.splitlines()[0] == "done: T-1"


def test_who_keeps_work_is_told_of_it_too(tmp_path: Path) -> None:
    alpha = made(tmp_path, task("T-1", "outputs: [f.txt]"))
    alpha.claim("T-1")
    alpha.write("f.txt", "half\n")
    alpha.commit("Half")
    alpha.git("update-ref", "refs/ralph/rescue", "HEAD")
    done = alpha.world.ralph("reset", "T-1", "--force", "--reason", "gone", "--json")
    assert (done.code, done.error) == (7, "ref_in_the_way"), done.out
    assert alpha.leases == ["T-1"]
