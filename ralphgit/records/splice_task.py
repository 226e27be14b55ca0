"""Change one task in a graph file; every other byte stays as it was.

The lifecycle fields are written as one group at the place of `status`, so that two changes
of one task always meet in a line-based merge. What is about to be written is read again and
compared: the intended fields changed and no other, or nothing is written at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ralphgit.errors import Bug, InvalidRecord
from ralphgit.model.task import Lifecycle
from ralphgit.records import block_keys, graph_file, task_blocks, yaml_writer
from ralphgit.records import input_limits as texts
from ralphgit.records.task_mapping import LIFECYCLE_KEYS, lifecycle, stored_lifecycle


def set_lifecycle(file: graph_file.GraphFile, index: int, life: Lifecycle) -> str:
    """Set the lifecycle of task number `index` in the text of `file`.

    Raises: InvalidRecord when the block's layout cannot be edited without touching more.
    """
    group = _group(life, file.tasks[index])
    wanted = {key: value for key, value in file.tasks[index].items() if key not in LIFECYCLE_KEYS}
    wanted.update(group)
    return rewritten(file, index, wanted, lambda old: _with_group(old, group))


def _group(life: Lifecycle, task: Mapping[str, Any]) -> dict[str, Any]:
    """The lifecycle fields to write into `task`.

    A record that stays as it was keeps the fields that ralphgit does not know.
    """
    group = stored_lifecycle(life)
    old = lifecycle(task)
    for key, record in group.items():
        if not isinstance(record, dict):
            continue
        if isinstance(task.get(key), dict) and getattr(old, key) == getattr(life, key):
            group[key] = task[key]
        elif _has_lines(record[[*record][-1]]):
            # A block scalar at its end would swallow a comment or blank line that follows.
            record["at"] = record.pop("at")
    return group


def _has_lines(value: object) -> bool:
    return any("\n" in str(item) for item in (value if isinstance(value, list) else [value]))


def set_fields(
    file: graph_file.GraphFile, index: int, fields: Mapping[str, Any], *, drop: tuple[str, ...] = ()
) -> str:
    """Set `fields` of one task in the text of `file`, and remove the keys in `drop`.

    Lifecycle fields are not for this: they go through `set_lifecycle`.
    """
    if set(fields) & set(LIFECYCLE_KEYS):
        raise Bug("lifecycle fields are set by set_lifecycle alone")
    wanted = {key: value for key, value in file.tasks[index].items() if key not in drop}
    wanted.update(fields)

    def edit(old: str) -> str:
        for key, value in fields.items():
            old = _with_field(old, key, value)
        for key in drop:
            old = _without_field(old, key)
        return old

    return rewritten(file, index, wanted, edit)


def to_block_style(file: graph_file.GraphFile, index: int) -> str:
    """Rewrite one task of `file` in block style, its values unchanged.

    Comments inside it come below its first line.

    Raises: InvalidRecord where the list of the tasks is in flow style itself.
    """
    task = file.tasks[index]
    start, end = file.spans[index]
    if not file.text[start:end].lstrip().startswith("-"):
        line, column = texts.position(file.text, start)
        raise InvalidRecord(
            "tasks is written in flow style, and so is each task in it; nothing was written",
            file=file.path, line=line, column=column, task=task["id"], code="unclear_layout",
            hint=task_blocks.OWN_LINES,
        )  # fmt: skip

    def edit(old: str) -> str:
        eol = "\r\n" if "\r\n" in file.text else "\n"
        indent = len(old) - len(old.lstrip(" "))
        end = task_blocks.content_end(old, task_blocks.Block(0, len(old)), indent)
        first, rest = yaml_writer.sequence([task], indent=indent, eol=eol).split(eol, 1)
        inside = block_keys.comments(old[:end])
        comments = [f"{' ' * (indent + 2)}{comment.rstrip()}" for comment in inside]
        made = eol.join([first, *comments, rest])
        return (made if old[:end].endswith("\n") else made.removesuffix(eol)) + old[end:]

    return rewritten(file, index, dict(task), edit)


def append_task(text: str, task: Mapping[str, Any], *, after: int | None, path: str) -> str:
    """Add the block of a new task to `text`, behind task number `after` (None: as the first)."""
    file = graph_file.parse(text.encode(), path=path, limit=max(len(text) * 4, 1))
    layout = task_blocks.find(text)
    eol = "\r\n" if "\r\n" in text else "\n"
    place = 0 if after is None else after + 1
    expected = [*file.tasks[:place], plain_copy(task), *file.tasks[place:]]
    if layout is not None and len(layout.blocks) == len(file.tasks) > 0:
        if after is None:
            places = [layout.blocks[0].start]
        else:
            # Before the blank lines behind the task, or behind them where they are its text (|+).
            block = layout.blocks[after]
            places = [task_blocks.content_end(text, block, layout.dash), block.end]
        drafts = [_inserted(text, task, at, layout.dash, eol) for at in places]
    elif not file.tasks:
        drafts = [_first_task(text, task, eol)]
    else:
        message = "tasks is written in flow style, which cannot be extended"
        raise InvalidRecord(message, file=path, hint=task_blocks.OWN_LINES)
    for new in drafts:
        again = graph_file.parse(new.encode(), path=path, limit=max(len(new) * 4, 1))
        if list(again.tasks) == expected and again.root == file.root:
            return new
    raise Bug(f"adding {task.get('id')} to {path} would have changed another task")


def _inserted(text: str, task: Mapping[str, Any], at: int, indent: int, eol: str) -> str:
    """`text` with a task's block at `at`, which is the end of a line or of the text."""
    made = yaml_writer.sequence([task], indent=indent, eol=eol)
    before = text[:at] if text[:at].endswith("\n") else text[:at] + eol
    made = made if text[:at].endswith("\n") or at < len(text) else made.removesuffix(eol)
    return before + made + text[at:]


_EMPTY_TASKS = r"(?m)^(tasks[ \t]*:)[ \t]*(?:\[[ \t]*\]|null|~)?[ \t]*(#[^\n]*)?(?:\r?\n|\Z)"


def _first_task(text: str, task: Mapping[str, Any], eol: str) -> str:
    """`text`, whose `tasks` is empty or missing, with its first task."""
    made = yaml_writer.sequence([task], indent=2, eol=eol)
    found = re.search(_EMPTY_TASKS, text)
    if found is None:
        before = text if not text or text.endswith("\n") else text + eol
        return f"{before}tasks:{eol}{made}"
    comment = f"  {found.group(2).rstrip()}" if found.group(2) else ""
    return text[: found.start()] + found.group(1) + comment + eol + made + text[found.end() :]


def plain_copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: plain_copy(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_copy(child) for child in value]
    return value


def rewritten(
    file: graph_file.GraphFile, index: int, wanted: Mapping[str, Any], edit: Callable[[str], str]
) -> str:
    """Apply `edit` to one block's text, and make sure that it did just what was meant."""
    start, end = file.spans[index]
    old = file.text[start:end]
    try:
        if graph_file.read_block(old) != file.tasks[index]:
            raise _unclear(file, index)
        new = edit(old)
        if graph_file.read_block(new) != plain_copy(wanted):
            raise _unclear(file, index)
    except InvalidRecord as error:
        if error.file:
            raise
        raise _unclear(file, index) from error
    return file.text[:start] + new + file.text[end:]


def _unclear(file: graph_file.GraphFile, index: int) -> InvalidRecord:
    line, column = texts.position(file.text, file.spans[index].start)
    task = file.tasks[index]["id"]
    return InvalidRecord(
        f"the layout of {task} cannot be edited without touching more than the change; "
        "nothing was written",
        file=file.path, line=line, column=column, task=task, code="unclear_layout",
        hint="write the task in block style, one key a line",
    )  # fmt: skip


# -- block style: lines --------------------------------------------------------------


def _eol(block: str) -> str:
    return "\r\n" if "\r\n" in block else "\n"


_STATUS_VALUE = re.compile(
    r"""(:[ \t]*)("[^"\n]*"|'[^'\n]*'|[^\s#"'][^\n#]*?)(?=[ \t]*(?:[ \t]#[^\n]*)?\r?$)""", re.M
)


def _with_group(block: str, group: Mapping[str, Any]) -> str:
    """`block` with the lifecycle fields replaced by `group`."""
    column = block_keys.column(block)
    if column is None:
        return _with_group_flow(block, group)
    for key in LIFECYCLE_KEYS[1:]:
        block = _without_field(block, key)
    spans = block_keys.spans(block, column)
    begin, end = spans["status"]
    end = block.find("\n", begin, end) + 1 or end
    lines = block[begin:end]
    value = _STATUS_VALUE.search(lines)
    if value is None:
        raise InvalidRecord("status has no value on its line")
    lines = lines[: value.start(2)] + yaml_writer.scalar(group["status"]) + lines[value.end(2) :]
    eol = _eol(block)
    rest = {key: item for key, item in group.items() if key != "status"}
    added = yaml_writer.mapping(rest, indent=column, eol=eol)
    if added and not lines.endswith("\n"):
        lines, added = lines + eol, added.removesuffix(eol)
    return block[:begin] + lines + added + block[end:]


def _with_field(block: str, name: str, value: Any) -> str:
    column = block_keys.column(block)
    if column is None:
        raise InvalidRecord("fields of a flow-style task are not edited in place")
    spans = block_keys.spans(block, column)
    eol = _eol(block)
    made = yaml_writer.mapping({name: value}, indent=column, eol=eol)
    if name in spans:
        begin, end = spans[name]
        first = begin == 0 or block[begin:end].lstrip(" ").startswith("-")
        if first:
            prefix = block[:column]
            made = prefix + made[column:]
            begin = 0
        if not block[begin:end].endswith("\n"):
            made = made.removesuffix(eol)
        return block[:begin] + made + block[end:]
    at = max(end for _, end in spans.values())
    before = block[:at]
    if not before.endswith("\n"):
        before, made = before + eol, made.removesuffix(eol)
    return before + made + block[at:]


def _without_field(block: str, name: str) -> str:
    column = block_keys.column(block)
    if column is None:
        raise InvalidRecord("fields of a flow-style task are not edited in place")
    spans = block_keys.spans(block, column)
    if name not in spans:
        return block
    begin, end = spans[name]
    if begin == 0:
        # The first key shares its line with the dash: the next key moves up to it.
        following = min((start for start, _ in spans.values() if start > begin), default=None)
        if following is None:
            raise InvalidRecord("a task needs a key")
        if end < following:
            # Comments stand between: they stay, and the dash stays alone above them.
            return block[:column].rstrip() + _eol(block) + block[end:]
        return block[:column] + block[following + column :]
    kept = block[:begin] + block[end:]
    if end == len(block) and not block.endswith("\n") and not block_keys.ends_in_block_scalar(kept):
        kept = kept.removesuffix("\n").removesuffix("\r")
    return kept


# -- flow style: positions -----------------------------------------------------------


def _with_group_flow(block: str, group: Mapping[str, Any]) -> str:
    from ralphgit.records import yaml_nodes

    root = yaml_nodes.compose(block)
    entries = yaml_nodes.entries(yaml_nodes.at_path(root, (0,)))
    if "status" not in entries:
        raise InvalidRecord("the task is not a mapping in flow style")
    pieces = [(key, node.start_mark.index) for key, (node, _) in entries.items()]
    ends = {key: value.end_mark.index for key, (_, value) in entries.items()}
    doomed = [key for key in LIFECYCLE_KEYS[1:] if key in entries]
    edits: list[tuple[int, int, str]] = []
    for key in doomed:
        # From the end of the entry before, so that its comma goes too.
        start = dict(pieces)[key]
        comma = block.rfind(",", 0, start)
        if comma < 0 or block[comma + 1 : start].strip():
            raise InvalidRecord("a lifecycle field stands first")
        edits.append((comma, ends[key], ""))
    _, status = entries["status"]
    made = ", ".join(f"{key}: {_flow(value)}" for key, value in group.items() if key != "status")
    text = yaml_writer.scalar(group["status"]) + (f", {made}" if made else "")
    edits.append((status.start_mark.index, status.end_mark.index, text))
    for start, end, text in sorted(edits, reverse=True):
        block = block[:start] + text + block[end:]
    return block


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        entries = (f"{yaml_writer.scalar(key)}: {_flow(child)}" for key, child in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(child) for child in value) + "]"
    return yaml_writer.scalar(value)
