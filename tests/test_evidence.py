"""Evidence: what it is bound to, what it is worth, and that it is never edited."""

from __future__ import annotations

import fnmatch
import hashlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
import slow
from hypothesis import given
from hypothesis import strategies as st
from world import Place, World, grown

from ralphgit.app.evidence.tree_digest import Content
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.model import characters
from ralphgit.model.evidence import Evidence, Subject, Support
from ralphgit.model.task import Criterion, Scope
from ralphgit.records import evidence_file as codec
from ralphgit.rules import evidence_verdict

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: Say hello
    status: pending
    acceptance:
      - it says hello
      - id: SHORT
        text: it is short
    verify:
      - grep -q hello hello.txt
    outputs:
      - hello.txt
    scope:
      write:
        - hello.txt
      read:
        - words/
  - id: T-2
    title: Say goodbye
    status: pending
    scope:
      write:
        - bye.txt
"""


@pytest.fixture
def alpha() -> Place:
    return grown(completed)


def completed(folder: Path) -> Place:
    """A worktree in which T-1 is complete."""
    world = World(folder)
    world.write_graph(GRAPH)
    world.commit("Plan")
    made = world.worktree("alpha")
    assert made.ralph("trust", "--yes").code == 0
    made.claim("T-1")
    made.write("hello.txt", "hello\n")
    made.complete()
    return made


def worth(place: Place, *words: str) -> list[bool]:
    """Whether each record about T-1 is fresh, oldest first."""
    listed = place.ralph("evidence", "list", "T-1", "--json", *words)
    return [record["fresh"] for record in listed.data["evidence"]]


def criteria(place: Place) -> dict[str, str]:
    listed = place.ralph("evidence", "list", "T-1", "--json").data["criteria"]
    return {entry["criterion"]: entry["support"] for entry in listed}


# -- list ------------------------------------------------------------------------------------


def test_what_complete_wrote_is_fresh_and_names_no_criterion(alpha: Place) -> None:
    found = alpha.ralph("evidence", "list")
    assert (found.code, found.err) == (0, "")
    assert found.out == (
        "T-1  Say hello\n"
        "  fresh       exit 0: grep -q hello hello.txt\n"
        "  assumed     ACC-1: it says hello\n"
        "  assumed     SHORT: it is short\n"
    )


@pytest.mark.parametrize(
    ("path", "fresh"),
    [("hello.txt", False), ("bye.txt", True), ("words/list.txt", False), ("other/a", True)],
)
def test_a_change_within_the_scope_makes_it_stale(alpha: Place, path: str, fresh: bool) -> None:
    alpha.write(path, "something else\n")
    assert worth(alpha) == [fresh]
    assert worth(alpha, "--at", "HEAD") == [True]
    alpha.commit()
    assert worth(alpha, "--at", "HEAD") == [fresh]
    alpha.git("revert", "--no-edit", "HEAD")
    assert worth(alpha) == [True]


def test_what_git_ignores_and_what_verify_leaves_do_not_count(alpha: Place) -> None:
    alpha.write(".gitignore", "words/cache\n")
    alpha.write("words/cache", "x")
    assert worth(alpha) == [True]


def test_where_there_is_none_nothing_is_said_to_be_fresh(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    found = world.ralph("evidence", "verify")
    assert (found.code, found.out) == (0, "No evidence.\n")


def test_looking_writes_nothing(alpha: Place, tmp_path: Path) -> None:
    alpha.write("hello.txt", "hello, changed and not committed\n")
    alpha.write("words/new.txt", "new\n")
    world = World.__new__(World)
    world.folder = tmp_path
    before = world.snapshot()
    assert alpha.ralph("evidence", "list").code == 0
    assert alpha.ralph("evidence", "verify").code == 1
    assert world.snapshot() == before


def test_a_task_without_evidence_says_so(alpha: Place) -> None:
    alpha.ralph("claim", "T-2")
    alpha.write("bye.txt", "bye\n")
    alpha.ralph("complete")
    assert alpha.ralph("evidence", "list", "T-2").out == "T-2  Say goodbye\n  none\n"


# -- add -------------------------------------------------------------------------------------


def test_an_observation_is_staged_and_bound_to_the_content(alpha: Place) -> None:
    made = alpha.ralph(
        "evidence", "add", "T-1", "--shows", "it has one line", "--does-not-show", "that it is",
        "--proves", "SHORT", "--challenges", "ACC-1", "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    record: dict[str, Any] = made.data["record"]
    assert (record["kind"], record["by"]) == ("observation", "alpha")
    assert record["claim"] == alpha.task("T-1")["claim"]["id"]
    assert alpha.git("diff", "--cached", "--name-only") == made.data["file"]
    assert criteria(alpha) == {"ACC-1": "challenged", "SHORT": "proved"}
    assert worth(alpha) == [True, True]
    assert alpha.ralph("check").code == 0


def test_an_artifact_has_its_digest(alpha: Place) -> None:
    alpha.write("words/shot.txt", "a picture\n")
    inside = Place(alpha.path / "words", alpha.environ)
    made = inside.ralph(
        "evidence", "add", "T-1", "--shows", "how it looks", "--artifact", "shot.txt", "--json"
    )
    assert made.data["record"]["artifact"] == {
        "path": "words/shot.txt",
        "sha256": hashlib.sha256(b"a picture\n").hexdigest(),
        "bytes": 10,
    }
    assert made.data["record"]["kind"] == "artifact"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("T-9", "--shows", "x"), "unknown_task", "there is no task T-9"),
        (("T-1", "--shows", "x", "--proves", "ACC-7"), "unknown_criterion", "no criterion ACC-7"),
        (("T-1", "--shows", "x", "--artifact", "none.txt"), "bad_artifact", "not a file of"),
        (
            ("T-1", "--shows", "x", "--artifact", "/etc/passwd"),
            "bad_artifact",
            "not a file of this",
        ),
        (("T-1",), "usage", "needs to say what it shows"),
        (("T-1", "T-2", "--shows", "x"), "usage", "about one task"),
        (
            ("T-1", "--shows", "x", "--rerun"),
            "usage",
            "--rerun cannot be combined with evidence add",
        ),
        (("T-1", "--shows", "x" * 9_000), "record_too_large", "nothing was written"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    alpha: Place, words: tuple[str, ...], code: str, message: str
) -> None:
    before = alpha.git("status", "--porcelain")
    found = alpha.ralph("evidence", "add", *words, "--json", env={"RALPH_MAX_RECORD_BYTES": "9000"})
    assert found.error == code
    assert message in found.json["error"]["message"]
    assert alpha.git("status", "--porcelain") == before


# -- verify ----------------------------------------------------------------------------------


def test_rerun_runs_just_what_is_stale(alpha: Place) -> None:
    """Twice: the second time nothing is."""
    alpha.write("hello.txt", "hello again\n")
    assert alpha.ralph("evidence", "verify").code == 1
    done = alpha.ralph("evidence", "verify", "--rerun", "--json")
    assert done.code == 0, done.err
    assert [(one["task"], one["exit_code"]) for one in done.data["rerun"]] == [("T-1", 0)]
    assert worth(alpha) == [False, True]
    assert criteria(alpha) == {"ACC-1": "assumed", "SHORT": "assumed"}
    assert alpha.ralph("evidence", "verify", "--rerun", "--json").data["rerun"] == []
    alpha.commit()
    assert alpha.ralph("check", "--base", "main").code == 0


def test_what_git_is_told_not_to_look_at_is_not_run(alpha: Place) -> None:
    alpha.write("hello.txt", "good day\n")
    alpha.commit("Bad")
    alpha.git("update-index", "--assume-unchanged", "hello.txt")
    alpha.write("hello.txt", "hello\n")
    done = alpha.ralph("evidence", "verify", "--rerun", "--json")
    assert (done.code, done.error) == (1, "not_done")
    assert "hello.txt is not as it would be committed" in done.json["error"]["message"]


def test_a_command_that_fails_now_is_a_no(alpha: Place) -> None:
    alpha.write("hello.txt", "good day\n")
    done = alpha.ralph("evidence", "verify", "--rerun", "--json")
    assert (done.code, done.error) == (1, "evidence_failed")
    assert criteria(alpha) == {"ACC-1": "open", "SHORT": "open"}


def test_rerun_needs_trust_and_asks_for_the_base_commands(alpha: Place) -> None:
    alpha.write("hello.txt", "hello again\n")
    alpha.ralph("trust", "--revoke")
    done = alpha.ralph("evidence", "verify", "--rerun", "--json")
    assert (done.code, done.error) == (7, "untrusted")
    assert worth(alpha) == [False]
    # What the branch says instead is not run.
    alpha.ralph("trust", "--yes")
    alpha.replace("grep -q hello hello.txt", "touch pwned")
    alpha.ralph("evidence", "verify", "--rerun")
    assert not (alpha.path / "pwned").exists()


def test_a_command_that_the_base_asks_for_now_is_run(alpha: Place) -> None:
    main = Place(alpha.path.parent / "proj", alpha.environ)
    main.merge("alpha")
    assert main.ralph("edit", "T-1", "--verify", "grep -q hell hello.txt").code == 0
    main.commit("Another command")
    assert main.ralph("trust", "--yes").code == 0
    found = main.ralph("evidence", "verify")
    assert (found.code, found.out) == (1, "no evidence: T-1: grep -q hell hello.txt\n")
    assert main.ralph("evidence", "verify", "--rerun").code == 0


def test_a_scope_that_the_branch_widens_does_not_make_it_stale_for_ever(alpha: Place) -> None:
    assert alpha.ralph("edit", "T-1", "--read", "conf").code == 0
    alpha.commit("Reads more")
    assert worth(alpha) == [True]
    alpha.write("hello.txt", "hello again\n")
    assert alpha.ralph("evidence", "verify", "--rerun").code == 0


def test_a_record_is_not_read_through_a_link(alpha: Place) -> None:
    (alpha.path / "records/evidence/T-1/zz.yaml").symlink_to("/etc/passwd")
    found = alpha.ralph("check")
    assert "the record is a symbolic link" in found.out
    assert "root:" not in found.out


def test_secrets_do_not_get_into_a_record(alpha: Place) -> None:
    made = alpha.ralph(
        "evidence", "add", "T-1", "--shows", "my sk-verysecret12345678", "--json",
        env={"MY_API_TOKEN": "sk-verysecret12345678"},
    )  # fmt: skip
    assert "verysecret" not in alpha.read(made.data["file"])


# -- history ---------------------------------------------------------------------------------


def evidence_file(place: Place) -> str:
    return str(next((place.path / "records/evidence/T-1").iterdir()).relative_to(place.path))


def codes(place: Place, *words: str) -> list[str]:
    found = place.ralph("check", "--json", *words).data["problems"]
    return [problem["code"] for problem in found]


def test_an_edit_is_found_before_and_after_it_is_committed(alpha: Place) -> None:
    path = evidence_file(alpha)
    old = alpha.read(path)
    alpha.replace("exit_code: 0", "exit_code: 1", path)
    assert codes(alpha) == ["edited_evidence"]
    alpha.commit("An edit")
    assert codes(alpha) == ["edited_evidence", "missing_evidence"]
    assert codes(alpha, "--at", "HEAD") == ["edited_evidence"]
    hint = alpha.ralph("check", "--json").data["problems"][0]["hint"]
    assert alpha.run("sh", "-c", hint).code == 0
    assert alpha.read(path) == old
    alpha.commit("As it was")
    assert codes(alpha) == []


def test_an_edit_in_a_merge_is_found(alpha: Place) -> None:
    """It is in no commit's own diff."""
    alpha.git("switch", "-q", "-c", "side", "HEAD~")
    alpha.write("side.txt", "x\n")
    alpha.commit("Side")
    alpha.git("switch", "-q", "alpha")
    alpha.git("merge", "--no-commit", "--quiet", "side")
    alpha.replace("exit_code: 0", "exit_code: 1", evidence_file(alpha))
    alpha.commit("Merge side")
    assert codes(alpha) == [
        "edited_evidence", "outside_scope", "missing_evidence",  # side.txt is outside
    ]  # fmt: skip


def test_an_edit_by_a_later_commit_of_the_branch_is_found_from_everywhere(alpha: Place) -> None:
    world = alpha.world
    alpha.replace("exits 0", "proves everything", evidence_file(alpha))
    alpha.commit("An edit")
    assert codes(alpha) == ["edited_evidence"]
    for words in (["alpha"], ["main..alpha"], ["main...alpha"], ["alpha", "--base", "main"]):
        found = world.ralph("check", *words, "--json").data["problems"]
        assert [one["code"] for one in found] == ["edited_evidence"]
        assert found == alpha.ralph("check", "--json").data["problems"]
    assert "never edited" in world.ralph("diff", "main..alpha").out
    refused = world.ralph("land", "alpha", "--json")
    assert (refused.code, refused.error) == (1, "not_ready")
    assert codes(world, "--at", "main") == []


def test_a_branch_that_moves_on_after_its_evidence_is_no_edit(alpha: Place) -> None:
    alpha.world.write("side.txt", "x\n")
    alpha.world.commit("Side")
    alpha.git("merge", "--quiet", "--no-edit", "main")
    assert alpha.ralph("evidence", "add", "T-1", "--shows", "it is short").code == 0
    alpha.commit("One more observation")
    for words in (["alpha"], ["main..alpha"]):
        assert codes(alpha.world, *words) == []


def test_a_removed_record_is_a_warning_unless_the_task_is_complete_by_it(alpha: Place) -> None:
    path = evidence_file(alpha)
    alpha.write("records/evidence/T-1/e1.yaml", "id: e1\ntask: T-1\nkind: observation\n")
    alpha.commit("An observation that nothing needs")
    (alpha.path / "records/evidence/T-1/e1.yaml").unlink()
    for _ in ("not committed yet", "committed"):
        assert codes(alpha) == ["removed_evidence"]
        assert alpha.ralph("check").code == 0
        alpha.commit("Without it")
    (alpha.path / path).unlink()
    removed = [("removed_evidence", "error"), ("removed_evidence", "warning")]
    missing = [("missing_evidence", "error")]
    for more in (missing[:0], missing):  # not committed yet, and committed
        found = alpha.ralph("check", "--json")
        assert found.code == 1
        told = sorted((p["code"], p["severity"]) for p in found.data["problems"])
        assert told == [*more, *removed]
        alpha.commit("Without it")
    claim = alpha.task("T-1")["claim"]["id"]
    (alpha.path / f"records/audit/T-1/{claim}.yaml").unlink()
    assert codes(alpha)[0] == "removed_audit"
    alpha.commit("Nobody did it")
    assert codes(alpha)[0] == "removed_audit"


# -- the record ------------------------------------------------------------------------------

_TEXT = st.text(st.characters(codec="utf-8"), max_size=40).map(characters.without)
_WORD = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", fullmatch=True)


@given(
    st.builds(
        Evidence,
        id=_WORD,
        task=_WORD,
        kind=st.sampled_from(["observation", "review"]),
        claim=st.one_of(st.just(""), _WORD),
        supports=st.lists(
            st.builds(Support, _TEXT.filter(bool), st.sampled_from(["supports", "challenges"])),
            max_size=3,
        ).map(tuple),
        shows=_TEXT,
        does_not_show=_TEXT,
        by=_TEXT,
        at=st.just("2026-11-21T10:00:00Z"),
        command=st.just(""),
        command_digest=st.just(""),
        exit_code=st.none(),
        duration_s=st.none(),
        output=st.none(),
        artifact=st.none(),
        subject=st.one_of(st.none(), st.builds(Subject, _WORD, _WORD, _WORD)),
        before=st.one_of(st.none(), st.integers(-64, 255)),
    )
)
def test_a_record_reads_back_as_it_was(made: Evidence) -> None:
    assert codec.parse(codec.encode(made, "records/evidence/T-1/x.yaml")) == made


# -- fresh if and only if the content is the same ----------------------------------------------

_FILES = ("src/a.py", "src/b.py", "src/deep/c.py", "doc/a.md", "top.txt")
_SCOPES = (
    Scope(write=("src/a.py",)),
    Scope(write=("src/",), read=("doc/*.md",)),
    Scope(read=("src/*.py",)),
    Scope(),
)
_STEP = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(_FILES), st.sampled_from("xyz")),
    st.tuples(st.just("move"), st.sampled_from(_FILES), st.sampled_from(_FILES)),
    st.tuples(st.just("remove"), st.sampled_from(_FILES), st.just("")),
    st.tuples(st.just("revert"), st.just(""), st.just("")),
    st.tuples(st.just("merge"), st.sampled_from(_FILES), st.sampled_from("xyz")),
)


def _covered(scope: Scope, path: str) -> bool:
    """The patterns above, read the slow and plain way."""
    patterns = (*scope.write, *scope.read)
    return not patterns or any(
        path == p
        or (p.endswith("/") and path.startswith(p))
        or ("*" in p and path.count("/") == p.count("/") and fnmatch.fnmatchcase(path, p))
        for p in patterns
    )


def _take(place: Place, step: tuple[str, str, str]) -> None:
    what, path, more = step
    full = place.path / path
    if what == "write":
        place.write(path, f"{more}\n")
    elif what == "move" and full.is_file() and path != more:
        (place.path / more).parent.mkdir(parents=True, exist_ok=True)
        full.rename(place.path / more)
    elif what == "remove" and full.is_file():
        full.unlink()
    elif what == "revert":
        if place.run("git", "revert", "--no-edit", "-m", "1", "HEAD").code:
            place.run("git", "revert", "--abort")
            if place.run("git", "revert", "--no-edit", "HEAD").code:
                place.run("git", "revert", "--abort")
        return
    elif what == "merge":
        place.git("switch", "-q", "--detach", "HEAD")
        place.write(path, f"{more}\n")
        side = place.commit("Side")
        place.git("switch", "-q", "main")
        place.write("elsewhere.txt", f"{place.head}\n")
        place.commit("Main")
        place.git("merge", "-q", "--no-edit", side)
        return
    place.commit(what)


@pytest.mark.slow
@slow.examples(25)
@given(st.lists(_STEP, min_size=1, max_size=6))
def test_the_digest_is_the_same_just_where_the_content_is(
    steps: list[tuple[str, str, str]],
) -> None:
    """Over histories with merges, reverts and renames; whatever commit it is asked of."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.write("elsewhere.txt", "x\n")
        world.write("src/a.py", "x\n")
        world.commit("Begin")
        for step in steps:
            _take(world, step)
        around = Surroundings(str(world.path), world.environ, lambda: 0.0, lambda: "x")
        project = Project.open(around)
        trees = {
            commit: world.git("ls-tree", "-r", commit).splitlines()
            for commit in world.git("rev-list", "--all").splitlines()
        }
        for scope in _SCOPES:
            seen: dict[str, dict[str, str]] = {}
            digests: dict[tuple[tuple[str, str], ...], str] = {}
            for commit, listed in trees.items():
                files = {line.split("\t")[1]: line.split()[2] for line in listed}
                own = {path: oid for path, oid in files.items() if _covered(scope, path)}
                digest = Content(project, commit).digest(scope)
                assert seen.setdefault(digest, own) == own
                assert digests.setdefault(tuple(sorted(own.items())), digest) == digest
        project.repository.close()


# -- what it comes to ------------------------------------------------------------------------


def record(name: str, *, code: int = 0, command: str = "c", verdict: str = "") -> Evidence:
    verdict = verdict or ("supports" if code == 0 else "challenges")
    return Evidence(
        id=name, task="T-1", kind="command", at=name, command=command, command_digest=command,
        exit_code=code, supports=(Support("ACC-1", verdict),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("records", "wanted"),
    [
        ([], "open"),
        ([(record("1"), True)], "proved"),
        ([(record("1"), False)], "stale"),
        ([(record("1", code=1), True)], "challenged"),
        ([(record("1", code=1), True), (record("2"), True)], "proved"),
        ([(record("1"), True), (record("2", code=1), True)], "challenged"),
        ([(record("1"), True), (record("2", code=1), False)], "proved"),
        ([(record("1"), True), (record("2", code=1, command="d"), True)], "challenged"),
        ([(record("1"), False), (record("2", verdict="partially-supports"), True)], "partial"),
    ],
)
def test_of_one_command_the_newest_fresh_record_counts(
    records: list[tuple[Evidence, bool]], wanted: str
) -> None:
    judged = evidence_verdict.judged(records, commands="cd")
    assert evidence_verdict.support([Criterion("ACC-1", "it works")], judged)[0].support == wanted


def test_a_run_of_a_command_that_the_task_has_not_proves_nothing() -> None:
    judged = evidence_verdict.judged([(record("1", command="make audit"), True)], commands=["c"])
    criteria = [Criterion("ACC-1", "it works")]
    assert evidence_verdict.support(criteria, judged)[0].support == "open"
    assert not evidence_verdict.is_verified(criteria, judged)


def test_evidence_of_a_claim_that_was_given_up_does_not_count() -> None:
    old = record("1")._replace(claim="old")
    assert evidence_verdict.judged([(old, True)], commands="c", claim="new") == []
    anybodys = [(old._replace(claim=""), True)]
    assert len(evidence_verdict.judged(anybodys, commands="c", claim="new")) == 1


def test_what_was_seen_anew_replaces_what_is_stale(tmp_path: Path) -> None:
    """diff, check and verify say the same of it, with the command that helps."""
    world = World(tmp_path)
    world.write_graph(
        "version: 1\ntasks:\n  - id: T-1\n    title: One\n    status: pending\n"
        "    acceptance: [{id: A-1, text: good}]\n    verify: [test -s a.txt]\n"
    )
    world.commit("Plan")
    assert world.ralph("trust", "--yes").code == 0
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    alpha.write("a.txt", "a\n")
    alpha.complete("--shows", "looked", "--proves", "A-1")
    alpha.write("a.txt", "b\n")
    alpha.commit("More")
    rerun = alpha.ralph("evidence", "verify", "--rerun", "--json")
    alpha.commit("Evidence")
    command = "ralphgit evidence add T-1 --shows TEXT --proves A-1"
    assert rerun.json["error"]["hint"] == command
    found = alpha.ralph("diff", "--json").data
    assert [(one["code"], one["message"].endswith(f": {command}")) for one in found["notes"]] == [
        ("stale_evidence", True)
    ]
    (problem,) = alpha.ralph("check", "--json").data["problems"]
    assert (problem["code"], problem["hint"]) == ("stale_evidence", command)
    seen = ("looked again", "--proves", "A-1")
    assert alpha.ralph("evidence", "add", "T-1", "--shows", *seen).code == 0
    alpha.commit("Again")
    assert alpha.ralph("diff").out.startswith("clear: ")
    assert alpha.ralph("check").code == 0
    assert alpha.ralph("evidence", "verify").code == 0
