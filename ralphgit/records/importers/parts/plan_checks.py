"""Find the commands by which a task of an implementation plan is verified."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ralphgit.records.importers.parts import plan_sections, plan_words, proofs
from ralphgit.records.importers.parts.markdown_items import Node, code_spans
from ralphgit.records.importers.parts.proofs import Proof

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
_SHELLS = frozenset({"", "bash", "sh", "shell", "console", "zsh"})
_SAYS = frozenset({"text", "item", "heading"})


def of_steps(nodes: Sequence[Node]) -> tuple[list[str], list[tuple[str, str]]]:
    """The commands that are to succeed, and what proves nothing in them, with the reason.

    Those that fail at first are among them only where there are no others, and steps behind them
    are to change that.
    """
    good: dict[str, None] = {}
    bad: dict[str, None] = {}
    changed: dict[str, None] = {}
    left: list[tuple[str, str]] = []
    run: list[Proof] = []
    code: list[Proof] = []
    awaits = fails = False

    def end() -> None:
        (bad if fails else good).update({one.command: None for one in run if one.command})
        left.extend(pair for one in run for pair in one.left)

    for node in plan_sections.flat(nodes):
        if node.kind == "fence":
            code = [proofs.of(node.text.strip())] if node.language in _SHELLS else []
            if awaits:
                run, code, awaits = code, [], False
        for number, line in enumerate(node.text.splitlines() if node.kind in _SAYS else ()):
            box = node.ticked is not None and number == 0
            if step := plan_sections.STEP.match(line):
                # The block of a step that only checks is a command, without a word before it.
                end()
                words = line[step.end() :]
                if not _CHANGES_NOTHING.match(words):
                    changed |= bad
                # A block belongs to the step that it stands in.
                run, code, awaits = [], [], _CHECKS.match(words) is not None
                fails = plan_words.says_failure(words)
            elif said := _RUN.match(line.strip()):
                end()
                run, code, fails = [*map(proofs.of, code_spans(said[1]))], [], False
                awaits = not said[1].strip()
            elif said := _EXPECTED.match(line.strip()):
                if code:  # What is expected of a block without a word before it.
                    end()
                    run, code = code, []
                fails = plan_words.expects_failure(said[1].lstrip("*_`"))
            elif box:
                end()
                if not _CHANGES_NOTHING.match(line):
                    changed |= bad
                gate = _GATE.fullmatch(line.strip())
                run, code = [*map(proofs.of, code_spans(gate["code"]))] if gate else [], []
                awaits = gate is not None and not gate["code"]
                fails = plan_words.says_failure(line)
    end()
    left.extend((command, "is to fail") for command in bad if not good and command not in changed)
    return list(good or changed), left


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


def of_boxes(nodes: Sequence[Node]) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Of boxes that say what holds at the end: commands, criteria, and what is left out.

    A box that begins with a command is one.
    """
    verify: dict[str, None] = {}
    criteria: list[str] = []
    left: list[tuple[str, str]] = []
    for node in nodes:
        spans = code_spans(node.text)
        first = proofs.of(spans[0]) if spans and _begins(node.text, spans[0]) else Proof("")
        left.extend(first.left)
        if first.command:
            verify[first.command] = None
        else:
            criteria.append(node.text)
    return list(verify), criteria, left


def _begins(text: str, code: str) -> bool:
    said = _RUN.match(text)
    return (said[1] if said else text).lstrip("*_ ").startswith(f"`{code}`")
