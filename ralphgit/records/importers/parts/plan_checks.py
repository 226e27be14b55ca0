"""Find the commands by which a task of an implementation plan is verified."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ralphgit.records.importers.parts import (
    endless_commands,
    plan_sections,
    plan_words,
    proofs,
)
from ralphgit.records.importers.parts.markdown_items import Node, code_spans
from ralphgit.records.importers.parts.plan_words import Expected

_RUN = re.compile(rf"[*_]*(?:{plan_words.RUN}){plan_words.COLON}[*_]*\s*(.*)", re.IGNORECASE)
_EXPECTED = re.compile(
    rf"[*_]*(?:{plan_words.EXPECTED}){plan_words.COLON}[*_]*\s*(.*)", re.IGNORECASE
)
#: What a step does that proves something: `: Run the tests`, `: Verify it passes`.
_CHECKS = re.compile(r"\W*(?:run|verify|validate|check|test)\b", re.IGNORECASE)
_PROVES = re.compile(
    r"\W*(?:run|re-?run|(?:re-?)?verify|validate|(?:re-?)?check|test|confirm|ensure|inspect|review"
    r"|manual(?:ly)?|smoke|full|final|expect(?:ed)?)\b",
    re.IGNORECASE,
)
_CHANGES_NOTHING = re.compile(rf"{_PROVES.pattern}|\W*commit\b", re.IGNORECASE)
#: A box that is a check: "Run static gates:", with the command below it or behind it.
_GATE = re.compile(
    r"[*_]*(?:run|verify|validate|check|test)\b[^:`]*:[*_]*\s*(?P<code>`.*|)", re.IGNORECASE
)
#: What a box says of when, or that something is not done, is no work.
_NO_WORK = re.compile(r"\W*(?:do not|don't|never|if|skip|commit\b.*\bif)\b", re.IGNORECASE)
#: A step of which it says so; not one that makes something optional.
_OPTIONAL = re.compile(
    rf"[(\[\uff08]\s*(?:{plan_words.OPTIONAL})|\A\W*(?:{plan_words.OPTIONAL})\w*\s*{plan_words.BETWEEN}",
    re.IGNORECASE,
)
#: Between a command and what is said of it.
_AROUND = " -([:;,.\u2013\u2014\u2192"
_SHELLS = frozenset({"", "bash", "sh", "shell", "console", "zsh"})
_SAYS = frozenset({"text", "item", "heading"})


def of_steps(
    nodes: Sequence[Node], is_found: Callable[[str], bool] | None = None
) -> tuple[list[str], list[tuple[str, str]]]:
    """The commands that are to succeed, and what proves nothing in them, with the reason.

    `is_found` says of a search that it finds something in any case: the plan itself.

    Those that fail at first are among them only where there are no others, and steps behind them
    are to change that.
    """
    good: dict[str, None] = {}
    bad: dict[str, None] = {}
    absent: dict[str, None] = {}
    changed: dict[str, None] = {}
    left: list[tuple[str, str]] = []
    run: list[str] = []
    code: list[str] = []
    awaits, expects, expected = False, False, Expected()
    words, said_so = "", False

    def end() -> None:
        for proof in (proofs.of(one, expected.finds, is_found) for one in run):
            left.extend(proof.left)
            if proof.command and _OPTIONAL.search(words):
                left.append((proof.command, "is optional"))
            elif words and not (said_so or _PROVES.match(words)) and proofs.searches(proof.command):
                left.append((proof.command, "only looks for something"))
            elif (
                proof.command and expected.runs_on and not endless_commands.only_says(proof.command)
            ):
                left.append((proof.command, "runs on"))
            elif proof.command:
                fails = expected.fails and not proof.inverted
                (absent if proof.inverted else bad if fails else good)[proof.command] = None

    def change() -> None:
        """Behind what changes something, what failed may pass, and what was absent be there."""
        changed.update(bad)
        left.extend((command, "is before the change") for command in absent)
        absent.clear()

    for node in plan_sections.flat(nodes):
        if node.kind == "fence":
            code = [node.text.strip()] if node.language in _SHELLS else []
            expects = False
            if awaits:
                run, code, awaits = code, [], False
        for number, line in enumerate(node.text.splitlines() if node.kind in _SAYS else ()):
            below, expects = expects, False
            box = node.ticked is not None and number == 0
            if step := plan_sections.STEP.match(line):
                # The block of a step that only checks is a command, without a word before it.
                end()
                words, said_so = line[step.end() :], False
                if not _CHANGES_NOTHING.match(words):
                    change()
                # A block belongs to the step that it stands in.
                run, code, awaits = [], [], _CHECKS.match(words) is not None
                expected = plan_words.of_step(words)
            elif said := _RUN.match(line.strip()):
                end()
                run, code = [*code_spans(said[1])], []
                expected, said_so = _beside(said[1]), bool(_without_code(said[1]))
                awaits = not said[1].strip()
            elif said := _EXPECTED.match(line.strip()):
                if code:  # What is expected of a block without a word before it.
                    end()
                    run, code = code, []
                expected, said_so = plan_words.expected(said[1].lstrip("*_`")), True
                expects = not said[1].strip()
            elif box:
                end()
                words, said_so = line, False
                if not _CHANGES_NOTHING.match(line):
                    change()
                gate = _GATE.fullmatch(line.strip())
                run, code = [*code_spans(gate["code"])] if gate else [], []
                awaits = gate is not None and not gate["code"]
                expected = plan_words.of_step(line)
            elif below:
                expected = plan_words.expected(line)
    end()
    left.extend((command, "is to fail") for command in bad if not good and command not in changed)
    return list((good or changed) | absent), left


def _beside(words: str) -> Expected:
    """What words around a command expect of it; that it fails, they say behind a label."""
    words = _without_code(words)
    said = _EXPECTED.match(words)
    found = plan_words.expected(said[1] if said else words)
    return found if said else found._replace(fails=False)


def _without_code(words: str) -> str:
    for span in code_spans(words):
        words = words.replace(f"`{span}`", " ", 1)
    return words.strip(_AROUND)


def only_checks(nodes: Sequence[Node]) -> bool:
    """Whether every step proves something, and none writes; where there are none, every box."""
    boxes = [node for node in plan_sections.flat(nodes) if node.ticked is not None]
    steps = plan_sections.steps(nodes)
    words = (node.text.partition("\n")[0] for node in steps or boxes)
    return all(
        _PROVES.match(plan_sections.STEP.sub("", line, count=1))
        or (not steps and _NO_WORK.match(line))
        for line in words
    )


def commits(nodes: Sequence[Node]) -> bool:
    """Whether a task makes a commit in any case, as one does that changes files."""
    step = ""
    for node in plan_sections.flat(nodes):
        begins = plan_sections.steps([node._replace(nodes=())]) or node.ticked is not None
        step = node.text.partition("\n")[0] if begins else step
        words = node.text if node.nodes else node.raw
        in_any_case = re.search(r"\bif\b", step, re.IGNORECASE) is None
        if in_any_case and re.search(r"\bgit (?:commit|add)\b", words):
            return True
    return False


def of_boxes(nodes: Sequence[Node]) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Of boxes that say what holds at the end: commands, criteria, and what is left out.

    A box that begins with a command is one, and one that says what it has to print a criterion too.
    """
    verify: dict[str, None] = {}
    criteria: list[str] = []
    left: list[tuple[str, str]] = []
    for node in nodes:
        command, holds, others = of_box(node.text)
        left.extend(others)
        if command:
            verify[command] = None
        if holds:
            criteria.append(node.text)
    return list(verify), criteria, left


def of_box(words: str) -> tuple[str, bool, tuple[tuple[str, str], ...]]:
    """The command that a box begins with, whether its words are a criterion, and what is left."""
    spans = code_spans(words)
    if not spans or not _begins(words, spans[0]):
        return "", True, ()
    expected = _beside(words)
    first = proofs.of(spans[0], expected.finds)
    if first.command and expected.runs_on:
        return "", True, (*first.left, (first.command, "runs on"))
    measures = plan_words.measures(words.replace(f"`{spans[0]}`", "", 1))
    return first.command, measures or not first.command, first.left


def is_run(words: str) -> bool:
    """Whether words say that a command is to be run: `Run: ...`."""
    return _RUN.match(words) is not None


def _begins(text: str, code: str) -> bool:
    said = _RUN.match(text)
    return (said[1] if said else text).lstrip("*_ ").startswith(f"`{code}`")
