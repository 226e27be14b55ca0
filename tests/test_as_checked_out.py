"""A loop verifies what a checkout of the commit has, whatever the worktree has (SPEC L9)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from test_changed_settings import works
from test_landing import files_on_base
from test_loop import made, on_base, task
from world import Place

#: By the attribute: what the agent writes, a verify command that passes of that alone, and what
#: passes.
CONVERTED = {
    "filter=big": ("echo 'points to evil' > a.txt", "grep -q points a.txt", "grep -q evil a.txt"),
    "ident": (
        "echo '$Id: good $' > a.txt", "grep -q good a.txt", "grep -q '[$]Id: [0-9a-f]' a.txt",
    ),
}  # fmt: skip


def with_attribute(tmp_path: Path, attribute: str, line: str) -> Place:
    one = task("T-1", "scope: {write: [a.txt]}", f"verify: {json.dumps([line])}")
    alpha = made(tmp_path, one, files={".gitattributes": f"a.txt {attribute}\n"})
    # As git-lfs does it, what is a pointer already stays one.
    alpha.git("config", "filter.big.clean", "sed 's/^\\(points to \\)*/points to /'")
    alpha.git("config", "filter.big.smudge", "sed 's/^points to //'")
    return alpha


@pytest.mark.slow
@pytest.mark.parametrize("attribute", CONVERTED)
def test_what_is_converted_is_verified_as_it_is_checked_out(attribute: str, tmp_path: Path) -> None:
    script, here_alone, everywhere = CONVERTED[attribute]
    alpha = with_attribute(tmp_path / "one", attribute, here_alone)
    ran = works(alpha, script)
    assert on_base(alpha, "T-1")["status"] == "blocked", ran.err
    assert "a.txt" not in files_on_base(alpha)
    alpha = with_attribute(tmp_path / "two", attribute, everywhere)
    ran = works(alpha, script)
    assert ran.out.splitlines()[0] == "done: T-1", ran.err


@pytest.mark.slow
def test_what_cannot_be_checked_out_does_not_land(tmp_path: Path) -> None:
    alpha = with_attribute(tmp_path, "filter=big", "test -e a.txt")
    alpha.git("config", "filter.big.smudge", "echo no such object >&2; false")
    alpha.git("config", "filter.big.required", "true")
    ran = works(alpha, "echo points to evil > a.txt")
    assert "a.txt cannot be checked out: " in ran.out + ran.err
    assert on_base(alpha, "T-1")["status"] == "blocked", ran.err


def test_a_pointer_is_not_verified_in_place_of_its_content(tmp_path: Path) -> None:
    """An agent can have git-lfs take the pointer for the object that it names."""
    alpha = with_attribute(tmp_path, "filter=big", "! grep -q BAD a.txt")
    for way in ("clean", "smudge"):
        alpha.git("config", f"filter.big.{way}", "cat")
    pointer = f"version https://git-lfs.github.com/spec/v1\\noid sha256:{'0' * 64}\\nsize 128\\n"
    ran = works(alpha, f"printf '{pointer}' > a.txt")
    assert "a.txt is a pointer of git-lfs where it is checked out" in ran.out + ran.err
    assert on_base(alpha, "T-1")["status"] == "blocked", ran.err


def test_what_a_pointer_stands_for_stays_where_pointers_are_checked_out(tmp_path: Path) -> None:
    """As git-lfs does it with `--skip-smudge`."""
    alpha = with_attribute(tmp_path, "filter=big", "grep -q good a.txt")
    clean = alpha.path.parent / "clean"
    clean.write_text(
        "#!/bin/sh\ncat > $$.tmp\nif grep -q ^version $$.tmp; then cat $$.tmp; else\n"
        "echo version https://git-lfs.github.com/spec/v1\n"
        "echo oid sha256:$(sha256sum < $$.tmp | cut -c1-64)\necho size 5\nfi; rm $$.tmp\n"
    )
    alpha.git("config", "filter.big.clean", f"sh {clean}")
    alpha.git("config", "filter.big.smudge", "cat")
    ran = works(alpha, "echo good > a.txt")
    assert ran.out.splitlines()[0] == "done: T-1", ran.err
    assert alpha.git("show", "origin/main:a.txt").startswith("version https://git-lfs")


@pytest.mark.slow
def test_a_file_may_be_run_where_its_commit_says_so(tmp_path: Path) -> None:
    one = task("T-1", "scope: {write: [a.txt]}", "verify: [./a.txt]")
    script = "printf '#!/bin/sh\\n' > a.txt; chmod +x a.txt; git add a.txt"
    places = [made(tmp_path / name, one) for name in ("one", "two")]
    for alpha in places:
        alpha.git("config", "core.fileMode", "false")
    ran = works(places[0], script)
    assert on_base(places[0], "T-1")["status"] == "blocked", ran.err
    assert "warning: a.txt is not executable in the commit, and no more here" in ran.err
    ran = works(places[1], f"{script}; git update-index --chmod=+x a.txt; chmod -x a.txt")
    assert ran.out.splitlines()[0] == "done: T-1", ran.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run what its group may")
def test_root_runs_no_file_by_the_right_of_another(tmp_path: Path) -> None:
    one = task("T-1", "scope: {write: [a.txt]}", "verify: [./a.txt]")
    alpha = made(tmp_path, one)
    ran = works(alpha, "printf '#!/bin/sh\\n' > a.txt; chmod 654 a.txt")
    assert on_base(alpha, "T-1")["status"] == "blocked", ran.err
    assert (
        "a.txt is not executable in the commit, and no more here (git looks at its own" in ran.err
    )


def test_what_git_takes_for_unchanged_is_what_it_is_in_the_commit(tmp_path: Path) -> None:
    one = task("T-1", "scope: {write: [a.txt]}", "verify: [sh check.sh]")
    check = "n='$Id$'\ngrep -q good a.txt\n"
    alpha = made(tmp_path, one, files={"check.sh": check, ".gitattributes": "check.sh ident\n"})
    ran = works(alpha, """echo bad > a.txt; sed -i "1s/.*/n='\\$Id: '; exit 0; '\\$'/" check.sh""")
    assert on_base(alpha, "T-1")["status"] == "blocked", ran.err
    assert "warning" not in ran.err
