"""A main that nobody may push to, with a loop at work and people who decide beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import slow
from test_land_pr import states
from test_loop import on_base, task
from test_protected_base import protect
from test_pull_fixes import MENDS, Flow

#: Asks about T-2 until somebody has answered; else as MENDS.
ASKS_AND_MENDS = (
    """\
if [ "$RALPH_TASK" = T-2 ]; then
  if grep -q 8080 .ralph/prompt.md; then echo 8080 > two.txt
  else printf 'status: needs_context\\nquestion: Which port?\\n' > .ralph/report.yaml; fi
  exit 0
fi
"""
    + MENDS
)


@pytest.mark.slow
@pytest.mark.parametrize("method", slow.but(1, ["squash", "merge", "rebase"]))
def test_a_protected_main_while_people_reset_reply_and_block(method: str, tmp_path: Path) -> None:
    """Work and what people decide are pull requests beside each other; all ends where main is."""
    more = (task("T-2", "outputs: [two.txt]"), task("T-3"), task("T-4"))
    flow = Flow(tmp_path, "gh", ASKS_AND_MENDS, *more)
    forge, alpha, world = flow.forge, flow.alpha, flow.alpha.world
    protect(world)
    beta, gamma = world.worktree("beta"), world.worktree("gamma")
    beta.claim("T-3")
    gamma.claim("T-4")

    def records() -> list[str]:
        return [p["head"] for p in forge.pulls if "/records/" in p["head"] and p["state"] == "OPEN"]

    def merge_records() -> None:
        for head in records():
            assert world.ralph("check", f"origin/{head}", "--base", "origin/main").code == 0
            forge.merge(head, method)
        world.git("fetch", "--quiet", "--prune", "origin")

    # The loop opens T-1, and asks about T-2 on a branch.
    flow.turn()
    (work,) = [pull["head"] for pull in forge.pulls]
    assert states(world)["T-2"] == "blocked"
    forge.fails(work, "expected green, got red")
    # Meanwhile a person resets what a dead worker held, answers, and blocks another task.
    reset = flow.main("reset", "T-3", "--reason", "gone", "--force")
    assert (reset.code, len(records())) == (0, 1), reset.err
    assert "T-3 becomes ready (epoch 1) when " in reset.out
    assert flow.main("reply", "T-2", "8080").code == 0
    assert len(records()) == 2
    assert gamma.ralph("block", "T-4", "--question", "Why?", env=flow.environ).code == 0
    assert gamma.ralph("land", "gamma", env=flow.environ).code == 0
    assert len(records()) == 3
    said = flow.turn()
    assert "working on its pull request again (checks failed: " in said
    assert world.git("rev-parse", "main") == world.git("merge-base", "main", "origin/main")
    merge_records()
    forge.passes(work, merge=False)
    forge.merge(work, method)
    said = flow.turn()
    assert "T-1 has landed on origin/main" in said
    for head in [p["head"] for p in forge.pulls if p["state"] == "OPEN"]:
        forge.passes(head, merge=False)
        forge.merge(head, method)
    flow.turn()
    assert {one: on_base(alpha, one)["status"] for one in ("T-1", "T-2", "T-3", "T-4")} == {
        "T-1": "complete", "T-2": "complete", "T-3": "complete", "T-4": "blocked",
    }  # fmt: skip
    assert world.ralph("check", "--base", "origin/main").code == 0
    flow.main("doctor", "--fix")
    assert world.git("rev-parse", "main") == world.git("merge-base", "main", "origin/main")
    flow.close()
