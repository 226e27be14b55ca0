"""Check each record of a tree: its schema, its place, and that it is not a copy."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from ralphgit.app.evidence import judged_evidence
from ralphgit.app.gate.problem import Problem, from_error, in_file
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.errors import InvalidRecord
from ralphgit.records import input_limits as texts
from ralphgit.records import schema_validation, yaml_reader
from ralphgit.records.schemas import FILED, file_name

_AGAIN = "remove the copy, then: ralphgit evidence verify --rerun"


def faults(
    project: Project,
    tree: Tree,
    paths: Iterable[str],
    tasks: Container[str] | None,
    homes: Mapping[str, str],
) -> Iterator[Problem]:
    """Find the problems of the records at `paths`.

    `tasks`: the ids of all tasks that there are, None where a graph file could not be read.
    `homes`: which task each claim was made on.
    """
    runs: dict[tuple[object, ...], str] = {}
    paths = [*paths]
    tree.read_ahead(paths)
    for path in project.around.progress.through("records", paths):
        parts = path.removeprefix(f"{project.config.records}/").split("/")
        if parts[0] not in FILED:
            continue
        try:
            value = _read(project, tree, path, parts[0])
        except _Wrong as wrong:
            yield from wrong.problems
            continue
        if value is None:
            continue
        yield from _placed(tree, path, parts, value)
        if parts[0] == "evidence" and len(parts) == 3:
            yield from _copied(tree, path, value, homes, runs)
        if tasks is not None and len(parts) > 1 and parts[1] not in tasks:
            said = f"{parts[1]} is not in the graph"
            yield in_file("orphan", tree, path, said, task=parts[1], severity="warning")


def homes(project: Project, tree: Tree) -> dict[str, str]:
    """Map each claim to its task, by the names of the audit files."""
    found = tree.filed(f"{project.config.records}/audit")
    return {path.rpartition("/")[2].removesuffix(".yaml"): task for task, path in found}


class _Wrong(Exception):
    """A record that cannot be judged further."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems


def _read(project: Project, tree: Tree, path: str, kind: str) -> dict[str, Any] | None:
    """Read a record that its schema allows; None where there is none. Raises: _Wrong."""
    if tree.is_link(path):
        raise _link(tree, path, "the record is a symbolic link")
    data = tree.content(path)
    if data is None:
        return None
    try:
        text = texts.decode(data, limit=project.config.max_record_bytes)
        value = yaml_reader.load(text)
        finite = not texts.may_hold_not_finite(text)
        found = []
        if value is not None:
            found = [*schema_validation.problems(kind, value, finite=finite)]
        places = schema_validation.positions(text, [where for where, _ in found])
        wrong = [(*place, said) for place, (_, said) in zip(places, found, strict=True)]
        wrong = wrong if value is not None else [(1, 1, "the record is empty")]
    except InvalidRecord as error:
        raise _Wrong(from_error(error.at(tree.label + path), label=tree.label)) from None
    if isinstance(value, str) and b"\n" not in data:
        raise _link(tree, path, f"the record is one line, like a committed symbolic link: {value}")
    if wrong or not isinstance(value, dict):
        hint = f"see schemas/{file_name(kind)}"
        raise _Wrong(
            *(
                in_file("schema", tree, path, said, hint, line=line, column=column)
                for line, column, said in wrong
            )
        )
    return value


def _link(tree: Tree, path: str, said: str) -> _Wrong:
    return _Wrong(in_file("symbolic_link", tree, path, said, "replace it with the file itself"))


def _placed(tree: Tree, path: str, parts: list[str], value: Mapping[str, Any]) -> Iterator[Problem]:
    kind, task = parts[0], value.get("task") or value.get("target")
    if len(parts) != 3 or (task is not None and parts[1] != task):
        said = f"a record of {task} belongs in {kind}/{task}/"
        yield in_file(
            "misplaced", tree, path, said, f"move it to {kind}/{task}/", task=str(task or "")
        )
    elif parts[2] != f"{value['id']}.yaml":
        said = f"the record has the id {value['id']}, but its file has another name"
        hint = f"remove it if it is a copy; else rename it to {value['id']}.yaml"
        yield in_file("wrong_name", tree, path, said, hint, task=parts[1])


def _copied(
    tree: Tree,
    path: str,
    value: Mapping[str, Any],
    homes: Mapping[str, str],
    runs: dict[tuple[object, ...], str],
) -> Iterator[Problem]:
    """Find evidence that no run wrote: copied from another task, from another record of the same
    task, or with another command line.

    One run may prove several tasks, but not one of them twice.
    """
    task, claim = value["task"], value.get("claim")
    home = homes.get(str(claim), task)
    if home != task:
        said = f"evidence about {task} names claim {claim}, which is a claim of {home}"
        yield in_file("foreign_claim", tree, path, said, _AGAIN, task=task)
    output = value.get("output")
    if value["kind"] != "command":
        return
    if value.get("command_digest") != judged_evidence.digest_of(value["command"]):
        said = f"the digest is not that of the command line: {value['command']}"
        yield in_file("wrong_digest", tree, path, said, _AGAIN, task=task)
    if not value.get("started_at") or not output:
        return
    run = (
        task, value["command"], value["started_at"], value.get("duration_s"), output.get("sha256"),
    )  # fmt: skip
    first = runs.setdefault(run, path)
    if first != path:
        said = f"this record is of the same run as {first}"
        yield in_file("copied_evidence", tree, path, said, _AGAIN, task=task)
