"""Write the YAML that a worker reads, from `model.handoff`."""

from __future__ import annotations

from collections.abc import Collection

from ralphgit.model import characters
from ralphgit.model.handoff import REPORT, STATUSES, Dependency, Packet
from ralphgit.records import schemas, yaml_writer

#: What a posture asks of the worker.
_POSTURES = {
    "test-first": "the verify commands decide",
    "observation-first": "no command decides: say what you observed, criterion by criterion",
    "none": "nothing says how it is verified: test your work, and say how",
}


def stored(made: Packet) -> dict[str, object]:
    """The packet in the form of `packet.schema.json`; what it does not have is left out."""
    scope = {name: list(patterns) for name, patterns in made.scope._asdict().items() if patterns}
    value: dict[str, object] = {
        "task": made.task,
        "contract": made.contract,
        "claim": made.claim,
        "worker": made.worker,
        "agent": made.agent,
        "mission": "\n\n".join(filter(None, [made.title, made.description])),
        "background": made.background,
        "governing_ids": [*filter(None, [made.story]), *(item.id for item in made.acceptance)],
        "acceptance": [item._asdict() for item in made.acceptance],
        "scope": scope,
        "may_change": made.may_change
        if isinstance(made.may_change, str)
        else list(made.may_change),
        "verify": list(made.verify),
        "outputs": list(made.outputs),
        "posture": made.posture,
        "source": {"base": made.base, "clean": made.clean},
        "dependencies": [_dependency(one) for one in made.dependencies],
        "guidance": [
            {"question": one.question, "answer": one.answer.text}
            for one in made.answers
            if one.answer is not None and one.question and one.answer.text
        ],
        "earlier_work": list(made.kept),
        "stop_conditions": list(made.stop),
        "output_contract": {"report": REPORT, "statuses": list(STATUSES)},
    }
    return {key: entry for key, entry in value.items() if entry}


def _dependency(one: Dependency) -> dict[str, object]:
    return {
        name: list(entry) if isinstance(entry, tuple) else entry
        for name, entry in one._asdict().items()
        if entry
    }


def encode(made: Packet, path: str, without: Collection[str] = ()) -> bytes:
    """Encode the packet, for a file at `path`, but for the keys `without`."""
    told = characters.values_without(stored(made))
    told = {key: value for key, value in told.items() if key not in without}
    text = schemas.modeline("packet") + yaml_writer.mapping(told)
    if "posture" in told:
        line = f"\nposture: {made.posture}\n"
        text = text.replace(line, f"{line[:-1]}  # {_POSTURES[made.posture]}\n", 1)
    return text.encode()
