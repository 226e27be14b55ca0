"""Watch what a loop and its tasks use up: tokens, cost and time (SPEC 7)."""

from __future__ import annotations

import time

from ralphgit.app.workspace import agent_usage
from ralphgit.app.workspace.agent_usage import Run
from ralphgit.loop.loop_options import LoopOptions, Say
from ralphgit.model.printable import duration
from ralphgit.model.task import Usage
from ralphgit.model.usage import dollars, total


class Budget:
    """What one loop has used since it began; it stops once that is what it may."""

    def __init__(self, options: LoopOptions, common_dir: str, worker: str, say: Say) -> None:
        """`common_dir` is git's, where the runs of this machine are noted."""
        self._max_cost, self._max_time = options.max_cost, options.max_time
        self._common_dir, self._worker, self._say = common_dir, worker, say
        self._began = time.monotonic()
        self._used = Usage()
        #: What is noted on the disk an agent, or the test that it wrote, can take away.
        self._of_claims: dict[str, Usage] = {}
        self._is_asked = options.max_cost is not None
        """Whether anybody wants to know the cost, and has not been told that nobody says it."""

    def note(self, task: str, claim: str, used: Usage) -> None:
        """Add what an agent used in one run for a claim.

        Raises: NotWritable.
        """
        self._used = total((self._used, used))
        self._of_claims[claim] = total((self._of_claims.get(claim, Usage()), used))
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time()))
        agent_usage.note(self._common_dir, Run(task, claim, self._worker, at, used))
        if self._is_asked and used.cost_usd is None:
            self._is_asked = False
            self._say(f"{used.agent} does not say what it costs: no budget in USD can stop it")

    def why(self) -> str:
        """Say which limit of the loop is reached; "" for none."""
        cost = self._used.cost_usd or 0.0
        if self._max_cost is not None and cost >= self._max_cost:
            return f"{dollars(cost)} are spent (--max-cost {self._max_cost:g})"
        seconds = time.monotonic() - self._began
        if self._max_time is not None and seconds >= self._max_time:
            return f"{duration(seconds)} are over (--max-time {self._max_time:g})"
        return ""

    def of_task(self, claim: str, task_budget: float | None) -> str:
        """Say that the budget of a task is spent under a claim; "" where it is not."""
        if task_budget is None:
            return ""
        self._is_asked = True
        known = (agent_usage.of_claim(self._common_dir, claim), self._of_claims.get(claim))
        costs = [used.cost_usd for used in known if used is not None and used.cost_usd is not None]
        cost = max(costs, default=None)
        if cost is None or cost < task_budget:
            return ""
        return f"{dollars(cost)} are spent, and its budget is {dollars(task_budget)}"
