"""No path leaves (SPEC L10): one decision, and each place that reads or writes by it."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from world import ROOT, World

from ralphgit.errors import InvalidRecord
from ralphgit.model import paths
from ralphgit.model.paths import PathFault
from ralphgit.records import worktree_files

GOOD = (
    "a", "a/b.c", "src/lib/api.ts", ".a", ".github/workflows/x.yml", ".gitignore",
    ".gitattributes",
    ".gitx/a", "x.git/config", "git", "ralph", ".ralphs/a", "git~", "git~x", "-x", "--help",
    ":/a",
    ":(exclude)a", "a b/c d", "ä/ö", "a~1", "~a", "ab:c/d:e", "...a", "a..b", "[id]/x", "*.py",
    "x$(y)",
    "a\u200cb", "\u0645\u06cc\u200c\u0631\u0648\u0645",
)  # fmt: skip
BAD = {
    PathFault.EMPTY: ("",),
    PathFault.ABSOLUTE: (
        "/", "/abs/o", "//host/share", "\\\\host\\share", "\\x", "C:\\x", "c:/x", "c:x", "C:",
        "~", "~/x",
    ),
    PathFault.PARENT: ("..", "../x", "a/../../b", "a/..", "a/../b", "..\\x", "a\\..\\b", ".. /x"),
    PathFault.OWN_FOLDER: (
        ".git", ".git/x", ".git/hooks/pre-commit", "a/.git/config", ".ralph/x", ".ralph",
        "a/.ralph",
        ".GIT/x", ".Git", ".RALPH/x", ".git.", ".git ", ".git. . /x", ".git...", ".ralph./x",
        "git~1", "GIT~1/x",
        "git~2", "ralph~1/x", "git~1.", ".git::$INDEX_ALLOCATION/x", ".git:x", ".g\u200cit/x",
        "\u200c.git",
        ".git\u200f", ".gi\u202et", ".\ufeffgit", ".r\u206aalph", ".git\\x", "a\\.git\\config",
        "./.git/x", "../.git",
    ),
    PathFault.BACKSLASH: ("a\\b", "a\\b/c"),
    PathFault.CONTROL: ("a\0b", "a\nb", "a\x1b[2J", "a\x7f", "a\x85", "\t"),
    PathFault.SAME_FOLDER: (".", "./a", "a/.", "a/./b", "a//b", "a/"),
    PathFault.TRAILING: ("a.", "a ", "a./b", "a /b", "...", " ", "a/... "),
}  # fmt: skip
REFUSED = [(fault, text) for fault, texts in BAD.items() for text in texts]
#: What an output or a pattern may say besides: a folder, from here, and quoted brackets.
PATTERNS = ("./a", "a/", "./a/", "\\[id\\]/x", "a\\*", "out/**")
STILL_REFUSED = (
    "./", "./.", "././a", ".//a", "./../a", "a//", "./.git", ".git/", "../", "a\\b", "./C:x",
    "\\[/..",
    "./~/x", "a\\.\\./b", "a./", ".",
)  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_path_that_may_be_used(text: str) -> None:
    assert (paths.fault(text), paths.pattern_fault(text)) == (None, None)


@pytest.mark.parametrize(("fault", "text"), REFUSED)
def test_a_path_that_may_not_be_used(fault: PathFault, text: str) -> None:
    assert paths.fault(text) is fault


@pytest.mark.parametrize("text", PATTERNS)
def test_an_output_may_be_a_folder_and_a_pattern(text: str) -> None:
    assert paths.pattern_fault(text) is None


@pytest.mark.parametrize("text", STILL_REFUSED)
def test_an_output_that_may_not_be_used(text: str) -> None:
    assert paths.pattern_fault(text) is not None


# -- the schemas' words ------------------------------------------------------------------


@cache
def validator(schema: str, name: str) -> Draft202012Validator:
    path = ROOT / "schemas" / f"{schema}.schema.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["$defs"][name]
    return Draft202012Validator(found)


def assert_schemas_agree(text: str) -> None:
    for schema, name, decide in (
        ("task-graph", "pattern", paths.pattern_fault),
        ("config", "path", paths.fault),
        ("evidence", "path", paths.fault),
    ):
        assert validator(schema, name).is_valid(text) == (decide(text) is None), (name, text)


@pytest.mark.parametrize("text", [*GOOD, *PATTERNS, *STILL_REFUSED, *(text for _, text in REFUSED)])
def test_the_schemas_say_the_same(text: str) -> None:
    assert_schemas_agree(text)


_PIECES = st.sampled_from(
    [*".gitGITralph~1/:\\ []{}*?C", "..", "./", ".git", ".ralph", "git~1", "\u200c", "\ufeff",
    "\n", "\0", "a"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=8).map("".join) | st.text(max_size=5))
def test_the_schemas_say_the_same_of_any_text(text: str) -> None:
    assert_schemas_agree(text)


# -- links -------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A worktree with links of every kind, below a link itself."""
    top = tmp_path / "real" / "top"
    for folder in (".git/hooks", ".ralph", "a/b", "../outside"):
        (top / folder).mkdir(parents=True, exist_ok=True)
    links = {
        "out": "../outside", "a/out": "../../outside", "etc": "/etc", "git": ".git",
        "ralph": "a/../.ralph",
        "hook": ".git/hooks/pre-commit", "inner": "a/b", "again": "inner", "gone": "../nothing",
        "inner-gone": "a/nothing", "round": "round", "via": "out",
        "host": f"{tmp_path}/real/top/a",
    }  # fmt: skip
    for name, target in links.items():
        (top / name).symlink_to(target)
    (tmp_path / "top").symlink_to("real/top")
    return tmp_path / "top"


@pytest.mark.parametrize(
    "path", ["a", "a/b", "new/x", "inner", "inner/x", "again/x", "inner-gone", "host/b/x", "round"]
)
def test_a_link_that_stays_inside(tree: Path, path: str) -> None:
    assert worktree_files.place(str(tree), path) == f"{tree}/{path}"


@pytest.mark.parametrize(
    ("path", "said", "link"),
    [
        ("out", "out of the worktree", "out"),
        ("out/x", "out of the worktree", "out"),
        ("a/out/b/c", "out of the worktree", "a/out"),
        ("etc/passwd", "out of the worktree", "etc"),
        ("gone", "out of the worktree", "gone"),
        ("via/x", "out of the worktree", "via"),
        ("git/config", "into .git or .ralph", "git"),
        ("hook", "into .git or .ralph", "hook"),
        ("ralph/x", "into .git or .ralph", "ralph"),
    ],
)
def test_a_link_that_leaves(tree: Path, path: str, said: str, link: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        worktree_files.place(str(tree), path)
    error = refused.value
    assert (error.code, error.exit_code, error.file) == ("bad_path", 6, path)
    assert error.message.startswith(f"a link leads {said}: {path} is ")
    assert error.hint == f"replace the link: {link}"


@pytest.mark.parametrize("path", ["../outside/x", "/etc/passwd", ".git/config", "a/../../b"])
def test_a_path_is_judged_before_it_is_looked_for(tree: Path, path: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        worktree_files.place(str(tree), path)
    assert (refused.value.code, refused.value.hint) == ("bad_path", paths.HINT)


# -- settings ----------------------------------------------------------------------------

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: One
    status: pending
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("paths"))
    world.write_graph(GRAPH)
    world.commit()
    return world


READERS = (("list",), ("check",), ("status",), ("next",), ("show", "T-1"), ("log",), ("doctor",))
WRITERS = (("claim", "T-1"), ("add", "--title", "x"), ("edit", "T-1", "--title", "x"))


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ('graph = "/etc/passwd"', "1:9", "graph is '/etc/passwd', which is absolute"),
        ('graph = [\n  "a.yaml",\n  "../x/*.yaml",\n]', "3:3", "graph is '../x/*.yaml', which"),
        ('graph = "C:/x.yaml"', "1:9", "graph is 'C:/x.yaml', which is absolute"),
        ('lease = "off"\nrecords = ".git"', "2:11", "records is '.git', which enters .git or"),
        ("records = '.GIT./x'", "1:11", "records is '.GIT./x', which enters .git or .ralph"),
        ('records = ".ralph/records"', "1:11", "records is '.ralph/records', which enters"),
        ('records = "../records"', "1:11", "records is '../records', which leads out"),
        ('records = ""', "1:11", "records is '', which is empty"),
        ('[agent]\nprompt = "/etc/passwd"', "2:10", "agent.prompt is '/etc/passwd', which is"),
        ("agent.prompt = '../p.md'", "1:16", "agent.prompt is '../p.md', which leads out of"),
    ],
)
def test_a_setting_that_leaves_is_refused_by_every_command(
    shared: World, text: str, place: str, said: str
) -> None:
    shared.write("ralph.toml", text + "\n")
    for words in (*READERS, *WRITERS):
        error = shared.refused(*words, code="bad_path", exit=6)
        assert error["message"].startswith(said), words
        assert (error["file"], f"{error['line']}:{error['column']}") == ("ralph.toml", place)
        assert error["hint"] == paths.HINT
    (shared.path / "ralph.toml").unlink()


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (
            {"RALPH_GRAPH": "/etc/passwd"},
            "the environment: RALPH_GRAPH is '/etc/passwd', which is abs",
        ),
        (
            {"RALPH_RECORDS": ".git/x"},
            "the environment: RALPH_RECORDS is '.git/x', which enters .git",
        ),
    ],
)
def test_a_variable_that_leaves_is_refused(shared: World, env: dict[str, str], said: str) -> None:
    for words in (("list",), ("claim", "T-1")):
        done = shared.ralph(*words, "--json", env=env)
        assert (done.code, done.error) == (2, "bad_path")
        assert done.json["error"]["message"].startswith(said)


def test_a_branch_that_sets_them_does_not_pass_the_gate(shared: World) -> None:
    shared.git("checkout", "--quiet", "-b", "branch")
    shared.write("ralph.toml", '# x\nrecords = ".git"\n')
    shared.commit()
    shared.git("checkout", "--quiet", "main")
    (problem,) = shared.ralph("check", "main..branch", "--json").data["problems"]
    assert (problem["code"], problem["line"], problem["column"]) == ("bad_settings", 2, 11)


# -- links, by commands ------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.write_graph(GRAPH)
    world.commit()
    (tmp_path / "outside").mkdir()
    return world


def outside(world: World) -> Path:
    return world.path.parent / "outside"


RUNTIME = ("/.ralph/", "info/exclude", "refs/ralph/")
TASKS = ("task-graph.yaml", "graph/a.yaml", "sub/graph.yaml")


@pytest.mark.parametrize(
    ("settings", "link", "target", "named"),
    [
        ("", "task-graph.yaml", "../outside/task-graph.yaml", "task-graph.yaml"),
        ("", "task-graph.yaml", ".git/task-graph.yaml", "task-graph.yaml"),
        ('graph = ["graph/*.yaml"]\n', "graph", "../outside/graph", "graph"),
        (
            'graph = ["graph/*.yaml"]\n',
            "graph/a.yaml",
            "../../outside/graph/a.yaml",
            "graph/a.yaml",
        ),
        ('graph = ["sub/graph.yaml"]\n', "sub", "../outside/sub", "sub/graph.yaml"),
    ],
)
def test_a_graph_behind_a_link_that_leaves_is_neither_read_nor_written(
    world: World, settings: str, link: str, target: str, named: str
) -> None:
    for place in (outside(world), world.path / ".git"):
        for name in TASKS:
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(GRAPH.replace("One", "secret"))
    (world.path / "task-graph.yaml").unlink()
    (world.path / link).parent.mkdir(exist_ok=True)
    (world.path / link).symlink_to(target)
    world.write("ralph.toml", settings)
    world.commit()
    for words in (("list",), ("check",), ("show", "T-1"), ("add", "--title", "x")):
        done = world.ralph(*words, "--json")
        assert (done.code, done.error) == (6, "bad_path"), (words, done)
        error = done.json["error"]
        assert (error["file"], error["line"], error["column"]) == (named, 1, 1)
        assert "secret" not in done.out + done.err
        assert error["hint"] == f"replace the link: {link}"


def test_another_worktree_s_graph_behind_a_link_stops_nobody(world: World) -> None:
    alpha = world.worktree("alpha")
    (outside(world) / "g.yaml").write_text(GRAPH.replace("T-1", "T-9"))
    (alpha.path / "task-graph.yaml").unlink()
    (alpha.path / "task-graph.yaml").symlink_to("../outside/g.yaml")
    done = world.ralph("status", "--json")
    assert done.code == 0
    (warning,) = done.json["warnings"]
    assert warning.startswith("the graph in ../proj-alpha is left out: a link leads out of the wor")


@pytest.mark.parametrize("link", ["records", "records/audit", "records/audit/T-1"])
def test_records_behind_a_link_that_leaves_are_not_written(world: World, link: str) -> None:
    alpha = world.worktree("alpha")
    (alpha.path / link).parent.mkdir(parents=True, exist_ok=True)
    (alpha.path / link).symlink_to(outside(world))
    error = alpha.refused("claim", "T-1", code="bad_path", exit=6, but=RUNTIME)
    assert error["hint"] == f"replace the link: {link}"
    assert list(outside(world).iterdir()) == []
    assert world.leases == []


@pytest.mark.parametrize(
    ("settings", "link"),
    [
        ('records = "notes/r"\n', "notes"),
        ("", "records"),
        ("", "records/audit"),
        ("", "records/evidence"),
        ('graph = "plan/graph.yaml"\n', "plan"),
        ('graph = ["graph/*.yaml"]\n', "graph"),
    ],
)
def test_a_folder_that_is_a_link_within_the_worktree_is_refused_before_anything_is_made(
    world: World, settings: str, link: str
) -> None:
    """git keeps no file behind a link, so that no claim could be committed."""
    world.write("ralph.toml", settings)
    (world.path / "real" / "r" / "audit").mkdir(parents=True)
    world.write("real/r/audit/kept", "")
    for path in ("real/graph.yaml", "real/T-1.yaml"):
        world.write(path, GRAPH)
    place = world.path / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(world.path / "real" / ("r/audit" if "/" in link else ""))
    world.commit()
    for words in (("check",), ("check", "--at", "HEAD")):
        found = world.ralph(*words, "--json")
        if found.error == "no_graph":  # in the commit there is none
            assert (link in settings, words) == (True, ("check", "--at", "HEAD"))
            continue
        assert found.code == 1, (words, found)
        (one,) = [one for one in found.data["problems"] if one["code"] == "symbolic_link"]
        assert one["file"].endswith(link), one
    error = world.refused("claim", "T-1", code="linked_folder", but=RUNTIME)
    assert error["hint"] == f"replace the link by the folder itself: {link}"
    assert world.leases == []


@pytest.mark.parametrize("path", ["records", "records/audit", "records/evidence/T-1"])
@pytest.mark.parametrize("what", ["a file", "a submodule"])
def test_what_stands_in_place_of_a_folder_of_the_records_is_an_error(
    world: World, what: str, path: str
) -> None:
    """No record could be put there: nobody could claim the task any more."""
    mode, oid = "100644", world.git("hash-object", "-w", "task-graph.yaml")
    if what == "a submodule":
        mode, oid = "160000", world.head
    base = world.head
    world.git("update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}")
    world.git("commit", "-qm", "Put it there")
    for words in (("--at", "HEAD"), (f"{base}..HEAD",)):
        found = world.ralph("check", *words, "--json")
        (one,) = found.data["problems"]
        assert (found.code, one["code"], one["file"][-len(path) :]) == (1, "no_folder", path)
        assert one["task"] == ("T-1" if path.endswith("T-1") else "")
    world.git(*one["hint"].split()[1:])
    world.git("commit", "-qm", "Take it away")
    assert world.ralph("check", "--at", "HEAD").code == 0


def test_a_record_that_is_a_link_is_not_read_by_log(world: World) -> None:
    (outside(world) / "k1.yaml").write_text("secret: 1\n")
    folder = world.path / "records" / "audit" / "T-1"
    folder.mkdir(parents=True)
    (folder / "k1.yaml").symlink_to(outside(world) / "k1.yaml")
    done = world.ralph("log", "T-1")
    assert "secret" not in done.out + done.err and "k1" not in done.err


def test_evidence_and_questions_behind_a_link_are_not_written(world: World) -> None:
    (world.path / "records").mkdir()
    for kind in ("evidence", "audit", "guidance"):
        (world.path / "records" / kind).symlink_to(outside(world))
    for words in (
        ("evidence", "add", "T-1", "--shows", "x"),
        ("audit", "add", "T-1", "--verdict", "clear", "--target", "HEAD"),
    ):
        done = world.ralph(*words, "--json")
        assert (done.code, done.error) == (6, "bad_path"), done.out
    assert list(outside(world).iterdir()) == []


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside/x", ".git/config", "link", ".git"])
def test_an_artifact_is_a_file_of_the_worktree(world: World, name: str) -> None:
    (outside(world) / "x").write_text("x")
    (world.path / "link").symlink_to("../outside/x")
    words = ("evidence", "add", "T-1", "--artifact", name, "--shows", "x")
    world.refused(*words, code="bad_artifact", exit=2)


def test_a_leftover_behind_a_linked_records_folder_is_left(world: World) -> None:
    kept = outside(world) / ".ralph-tmp-999999-x"
    kept.write_text("x")
    (world.path / "records").symlink_to(outside(world))
    world.ralph("doctor", "--fix")
    assert kept.exists()


def test_an_answer_goes_into_no_linked_inbox(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-1")
    asked = alpha.ralph("block", "--question", "Which?")
    assert asked.code == 0, asked.err
    (alpha.path / ".ralph" / "inbox").symlink_to(outside(world))
    done = world.ralph("reply", "T-1", "This one.")
    assert list(outside(world).iterdir()) == [], done


# -- the built-in agent, scopes, other files ---------------------------------------------


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (".git/config", "the path '.git/config' enters .git or .ralph"),
        (".GIT/hooks/pre-commit", "the path '.GIT/hooks/pre-commit' enters .git or .ralph"),
        (".ralph/report.yaml", "the path '.ralph/report.yaml' enters .git or .ralph"),
        ("/abs", "the path '/abs' is absolute"),
        ("src/../../x", "the path 'src/../../x' leads out of its folder by '..'"),
        ("src/out/x", "a link leads out of the worktree: src/out/x is "),
        ("src/git/config", "a link leads into .git or .ralph: src/git/config is "),
        ("other.txt", "other.txt is outside scope.write (src/**)"),
    ],
)
def test_the_scripted_agent_writes_inside_the_scope_alone(
    world: World, path: str, said: str
) -> None:
    (world.path / "src").mkdir()
    (world.path / "src" / "out").symlink_to(outside(world))
    (world.path / "src" / "git").symlink_to("../.git")
    script = json.dumps({"write": {"src/good.txt": "x", path: "x"}})
    before = world.state()
    done = world.run(
        sys.executable, "-m", "ralphgit.loop.scripted_agent",
        env={"RALPH_SCRIPT": script, "RALPH_SCOPE": '["src/**"]'},
    )  # fmt: skip
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"scripted agent: {said}")
    assert done.err.endswith("; nothing was done\n")
    assert world.state() == before


@pytest.mark.parametrize(
    "scope, mode, written",
    [
        (["c"], "parallel", ["c"]),
        (["lib"], "parallel", ["lib/T-3.txt"]),
        (["src/**", "b"], "parallel", ["src/T-3.txt"]),
        (["src/[a-c]*.py"], "parallel", ["src/aT-3.py"]),
        (["src/?"], "parallel", ["src/a"]),
        ([], "parallel", []),
        (["c"], "verify", []),
    ],
)
def test_without_outputs_the_scripted_agent_writes_a_file_of_the_scope(
    world: World, scope: list[str], mode: str, written: list[str]
) -> None:
    (world.path / "lib").mkdir()
    env = {"RALPH_SCOPE": json.dumps(scope), "RALPH_MODE": json.dumps(mode), "RALPH_TASK": "T-3"}
    done = world.run(sys.executable, "-m", "ralphgit.loop.scripted_agent", env=env)
    assert (done.code, done.err) == (0, "")
    found = world.git("ls-files", "--others").splitlines()
    assert found == written
    assert all(world.read(path) == "T-3\n" for path in found)


def test_a_run_with_a_script_that_leaves_changes_nothing_of_git(world: World) -> None:
    script = '    x-script: {write: {.git/config: "[core]", one.txt: x}}\n'
    world.write_graph(GRAPH + script)
    world.write("ralph.toml", "[agent]\nattempts = 1\n")
    world.commit()
    alpha = world.worktree("alpha")
    (problem,) = alpha.ralph("check", "--json").data["problems"]
    assert (problem["code"], problem["line"], problem["task"]) == ("bad_path", 6, "T-1")
    config = world.read(".git/config")
    done = alpha.ralph("run", "--once", "--agent", "scripted", "--json")
    assert done.data["blocked"] == ["T-1"], done.out
    assert not (alpha.path / "one.txt").exists()
    assert world.read(".git/config") == config


@pytest.mark.parametrize(
    "pattern",
    [
        ".git/**",
        "a/.git/config",
        ".ralph/x",
        ".GIT",
        "{src,.git}/x",
        "git~1/x",
        "C:/x",
        "C:\\x",
        "../x",
    ],
)
def test_a_scope_that_leaves_is_no_scope(world: World, pattern: str) -> None:
    scope = f"    scope:\n      write: [{json.dumps(pattern)}]\n"
    world.write_graph(GRAPH + scope)
    world.commit()
    codes = [problem["code"] for problem in world.ralph("check", "--json").data["problems"]]
    assert codes == ["bad_pattern"]
    world.refused("claim", "T-1", code="contract_invalid")
    world.refused("edit", "T-1", "--write", pattern, code="bad_pattern", exit=2)


def test_no_worktree_gets_what_belongs_to_another_s_runtime(world: World) -> None:
    world.write(".worktreeinclude", "*.env\n")
    world.write(".gitignore", "*.env\n")
    world.commit()
    for name in ("a.env", ".Ralph/b.env", "sub/.RALPH/c.env"):
        world.write(name, "x")
    assert world.ralph("worktree", "new", "alpha").code == 0
    alpha = world.path.parent / "proj-alpha"
    assert [str(path.relative_to(alpha)) for path in alpha.rglob("*.env")] == ["a.env"]


@pytest.mark.parametrize("name", ["../x", ".git", "a/b", "/tmp/x", ".ralph", "a\\b", ""])
def test_a_worktree_s_name_is_no_path(world: World, name: str) -> None:
    world.refused("worktree", "new", name, code="bad_worker", exit=2)


def test_a_path_is_no_pathspec(world: World) -> None:
    """Signs that git gives a meaning in paths have none in a record."""
    world.write("ralph.toml", 'graph = [":(exclude)a/*.yaml", ":/g.yaml"]\nrecords = ":!x"\n')
    world.write(":(exclude)a/one.yaml", GRAPH)
    world.write(":/g.yaml", GRAPH.replace("T-1", "T-2"))
    (world.path / "task-graph.yaml").unlink()
    world.git("add", "-A", "--", ".")
    world.commit()
    alpha = world.worktree("alpha")
    alpha.did("T-1", {"-x": "x", ":(top)y": "y"})
    named = alpha.git("show", "--format=", "--name-only", "HEAD").split("\n")
    assert {"-x", ":(exclude)a/one.yaml", ":(top)y"} < set(named)
    assert any(name.startswith(":!x/audit/T-1/") for name in named)
    assert alpha.ralph("check", "--base", "main").code == 0
