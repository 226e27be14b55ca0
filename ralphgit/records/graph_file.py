"""Read one graph file into rows and tasks."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.model.task_row import DEFAULT_PRIORITY, Row
from ralphgit.records import input_limits as texts
from ralphgit.records import task_blocks, yaml_reader
from ralphgit.records.task_fields import Problem, normalise


class GraphFile(NamedTuple):
    """A graph file that was found valid: all its tasks, or the one that is asked for."""

    path: str
    text: str
    tasks: tuple[dict[str, Any], ...]
    """Normalised (`records.task_fields`), in file order."""
    spans: tuple[task_blocks.Block, ...]
    """Where each task stands in `text`, in the same order."""
    root: dict[str, Any]
    """The other root keys."""


def parse(data: bytes, *, path: str, limit: int = texts.MAX_GRAPH_BYTES) -> GraphFile:
    """Read a graph file.

    Raises: InvalidRecord with file, line, column of the first problem.
    """
    found, problems = parse_all(data, path=path, limit=limit)
    if problems:
        raise problems[0]
    return found


def parse_all(
    data: bytes, *, path: str, limit: int = texts.MAX_GRAPH_BYTES
) -> tuple[GraphFile, list[InvalidRecord]]:
    """Read a graph file; every problem in the shape of its tasks, not only the first.

    Raises: InvalidRecord when the file as a whole cannot be read.
    """
    try:
        text = texts.decode(data, limit=limit)
        layout = task_blocks.find(text)
        spans = layout.blocks if layout else ()
        root = yaml_reader.load(text, parts(text, spans))
        if not isinstance(root, dict):
            if isinstance(root, str) and "\n" not in text:
                # So git keeps a link: as a text without a line end, which no editor leaves.
                raise InvalidRecord(
                    f"this is a symbolic link, or only the path that one leads to: {root}",
                    hint=_NO_LINK,
                )
            raise InvalidRecord("a graph is a mapping with version and tasks", hint=_FORM)
        if root.get("version") != 1 or root["version"] is True:
            raise _bad_version(text, root.get("version"))
        tasks = root.pop("tasks", None)
        if tasks is None:
            tasks = []
        if not isinstance(tasks, list):
            raise _refuse(text, "tasks", "tasks should be a list", code="invalid_record")
        if not _matches(text, spans, tasks):
            spans = _exact_spans(text, len(tasks))
    except InvalidRecord as error:
        raise error.at(path) from None
    problems: list[InvalidRecord] = []
    odd = texts.may_hold_not_finite(text)
    for task, span in zip(tasks, spans, strict=True):
        found = normalise(task, _as_written(text, span))
        if odd:
            known = {problem.path for problem in found}
            more = (where for where in texts.not_finite(task) if where not in known)
            found += [Problem(where, texts.NOT_FINITE) for where in more]
        for problem in found:
            problems.append(locate(text, span, problem, path=path, task=task))
    return GraphFile(path, text, tuple(tasks), spans, root), problems


_NO_LINK = "git stores only the path of a link: replace the link by the file itself"
_FORM = "a graph begins with: version: 1, then tasks: with one - id: per task"


def _bad_version(text: str, version: object) -> InvalidRecord:
    if version is None:
        return _refuse(text, "version", "version is missing", code="bad_version")
    message = f"version {version!r} is not known; this ralphgit reads version 1"
    hint = "import it, if it is another tool's"
    return _refuse(text, "version", message, code="bad_version", hint=hint)


def _refuse(text: str, key: str, message: str, *, code: str, hint: str = _FORM) -> InvalidRecord:
    """The error for the value of a root key, which in block style begins a line."""
    found = re.search(rf"""^\ufeff?(["']?){key}\1[ \t]*:[ \t]*""", text, re.M)
    return texts.refuse(text, found.end() if found else 0, message, hint=hint, code=code)


def parts(text: str, spans: tuple[task_blocks.Block, ...]) -> list[yaml_reader.Span]:
    """What is before the blocks, each of them, and what is behind; nothing without blocks."""
    if not spans:
        return []
    return [
        (0, spans[0].start),
        *((span.start, span.end) for span in spans),
        (spans[-1].end, len(text)),
    ]


def around(text: str, rows: Sequence[Row]) -> dict[str, Any]:
    """The root keys of a graph that was found valid, read without its tasks, `rows`.

    Raises: InvalidRecord where what is left is no YAML: the tasks do not stand in lines of their
    own.
    """
    outside = text
    if rows:
        outside = text[: rows[0].start] + text[rows[-1].end :]
    root = yaml_reader.load(outside)
    return root if isinstance(root, dict) else {}


def _matches(text: str, spans: tuple[task_blocks.Block, ...], tasks: list[Any]) -> bool:
    """Whether the scanner's blocks are the parsed tasks, as far as a look can tell."""
    return len(spans) == len(tasks) and all(
        isinstance(task, dict) and _holds(text, span, task.get("id"))
        for span, task in zip(spans, tasks, strict=True)
    )


def _holds(text: str, span: task_blocks.Block, id: object) -> bool:
    """Whether the task with this id, as it was read, is the one that stands at `span`."""
    if isinstance(id, str) and text.find(id, span.start, span.end) >= 0:
        return True
    # A number is not spelled as it prints (1e3), nor is quoted text with escapes.
    try:
        alone = yaml_reader.load(text[span.start : span.end])
    except InvalidRecord:
        return False
    return (
        isinstance(alone, list)
        and len(alone) == 1
        and isinstance(alone[0], dict)
        and alone[0].get("id") == id
    )


def _exact_spans(text: str, count: int) -> tuple[task_blocks.Block, ...]:
    """Spans from the node tree, for layouts that the line scanner does not see through."""
    from ralphgit.records import yaml_nodes

    root = yaml_nodes.compose(text)
    sequence = yaml_nodes.at_path(root, ("tasks",))
    items = sequence.value if count else []
    spans = [task_blocks.Block(item.start_mark.index, item.end_mark.index) for item in items]
    if not spans or text[sequence.start_mark.index] == "[":
        return tuple(spans)
    dash = re.compile(rf"^ {{{sequence.start_mark.column}}}-(?=[ \t\r\n]|\Z)", re.M)
    after = 0
    starts = []
    for span in spans:
        # Its dash is the last one before it: what else looks like one is text of the task above.
        before = dash.finditer(text, after, span.start + 1)
        starts.append(max((found.start() for found in before), default=span.start))
        after = span.start
    return tuple(map(task_blocks.Block, starts, [*starts[1:], spans[-1].end]))


def alone(text: str, row: Row) -> GraphFile | None:
    """The graph file of `row`, read before and found valid, with just this task.

    None where the task's block is not its text alone; then the whole file has to be read.
    """
    span = task_blocks.Block(row.start, row.end)
    try:
        task = read_block(text[row.start : row.end])
    except InvalidRecord:
        return None
    if json.dumps(task) != row.json:
        return None
    return GraphFile(row.file, text, (task,), (span,), {})


def read_block(block: str) -> dict[str, Any]:
    """The one task of a block's text, normalised.

    Raises: InvalidRecord, without a position.
    """
    value = yaml_reader.load(block)
    task = value[0] if isinstance(value, list) and len(value) == 1 else value
    if problems := normalise(task, _as_written(block, task_blocks.Block(0, len(block)))):
        raise InvalidRecord(problems[0].message)
    found: dict[str, Any] = task  # type: ignore[assignment]  # normalise has seen to it
    return found


def _as_written(text: str, span: task_blocks.Block) -> Callable[[], Any]:
    return lambda: _source(text[span.start : span.end])


@lru_cache(maxsize=128)
def _source(block: str) -> Any:
    """A task with every scalar as it is written. The same in each version of a file: read once."""
    from ralphgit.records import yaml_nodes

    found = yaml_nodes.written(yaml_nodes.compose(block))
    return found[0] if isinstance(found, list) else found


def locate(
    text: str, span: task_blocks.Block, problem: Problem, *, path: str, task: object = None
) -> InvalidRecord:
    """`problem` as an error with the position of the value it is about."""
    from ralphgit.records import yaml_nodes

    root = yaml_nodes.compose(text[span.start : span.end])
    if isinstance(yaml_nodes.value(root), list):
        root = yaml_nodes.at_path(root, (0,))
    node = yaml_nodes.at_path(root, problem.path)
    index = span.start + node.start_mark.index
    if node.start_mark.index == node.end_mark.index:
        # A value that is not there: ruamel.yaml has it where the next one begins.
        index = len(text[:index].rstrip())
    line, column = texts.position(text, index)
    known = task.get("id") if isinstance(task, dict) else None
    return InvalidRecord(
        problem.message, file=path, line=line, column=column,
        task=known if isinstance(known, str) else None,
    )  # fmt: skip


def rows(file: GraphFile) -> list[Row]:
    """The slim form of every task, in file order."""
    made = []
    line, last = 1, 0
    # json.dumps would make an encoder for each task.
    texts = list(map(json.JSONEncoder().encode, file.tasks))
    joined = "".join(texts).encode("ascii")
    begin = 0
    for task, span, text in zip(file.tasks, file.spans, texts, strict=True):
        start = span.start
        line += file.text.count("\n", last, start)
        last = start
        end = begin + len(text)
        made.append(_row(task, file.path, line, span, (joined, begin, end)))
        begin = end
    return made


_NOTHING: Mapping[str, Any] = {}


def _row(
    task: Mapping[str, Any],
    path: str,
    line: int,
    span: task_blocks.Block,
    texts: tuple[bytes, int, int],
) -> Row:
    """The slim form of one normalised task."""
    get = task.get
    claim = get("claim") or _NOTHING
    scope = get("scope") or _NOTHING
    mark = ""
    for name in ("result", "blocked", "reset", "cancelled"):
        if record := get(name):
            mark = record["id"]
    priority = get("priority")
    # Row(...) would go through a function of Python's: a tenth of all that is done here.
    return tuple.__new__(Row, (
        task["id"],
        task["title"],
        task["status"],
        DEFAULT_PRIORITY if priority is None else priority,
        get("story") or "",
        get("mode") or "parallel",
        tuple(get("depends_on") or ()),
        tuple(scope.get("write") or ()),
        tuple(scope.get("read") or ()),
        tuple(scope.get("resources") or ()),
        tuple(get("needs") or ()),
        get("epoch") or 0,
        claim.get("id", ""),
        claim.get("by", ""),
        claim.get("at") or "",
        claim.get("base") or "",
        claim.get("contract") or "",
        mark,
        path,
        line,
        span.start,
        span.end,
        *texts,
    ))  # fmt: skip
