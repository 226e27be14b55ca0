"""Name the tests that a change takes away, and the files that judge it and that it touches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ralphgit.app.diff.task_change import CONCERN, ChangeNote, TaskChange
from ralphgit.git.objects import Objects
from ralphgit.git.trees import PathChange
from ralphgit.rules import test_files
from ralphgit.rules.pattern_overlap import check_pattern, covers_any


def notes(
    objects: Objects, files: Sequence[PathChange], changes: Sequence[TaskChange]
) -> Iterator[ChangeNote]:
    """List deleted and emptied tests, and files of verify commands outside every write scope.

    Of a range in which somebody worked on a task. What was only moved to be a test elsewhere is not
    deleted; what became a link is emptied.
    """
    worked = [one for one in changes if one.worked_on]
    if not worked:
        return
    only = worked[0].task if len(worked) == 1 else ""
    made = [one for one in files if not one.old and _is_file(one.new_mode)]
    made = [one for one in made if test_files.is_test(one.path)]
    kept = {one.new for one in made} | {_name(one.path) for one in made}
    old_files = [one for one in files if _is_file(one.old_mode)]
    tests = [one for one in old_files if test_files.is_test(one.path)]
    for one in tests:
        if not one.new and kept.isdisjoint((one.old, _name(one.path))):
            yield ChangeNote(CONCERN, "test_deleted", only, f"a test is deleted: {one.path}")
    for one in tests:
        if one.new and not _is_file(one.new_mode):
            yield ChangeNote(CONCERN, "test_emptied", only, f"a test is no file now: {one.path}")
    changed = [one for one in tests if _is_file(one.new_mode)]
    contents = objects.read(oid for one in changed for oid in (one.old, one.new))
    for one in changed:
        old, new = contents.get(one.old), contents.get(one.new)
        if old is not None and new is not None and test_files.is_emptied(old, new):
            yield ChangeNote(CONCERN, "test_emptied", only, f"a test is emptied: {one.path}")
    patterns = [pattern for each in worked for pattern in each.promised.scope.write]
    allowed = [pattern for pattern in patterns if check_pattern(pattern) is None]
    touched = [one.path for one in old_files if not covers_any(allowed, one.path)]
    for each in worked:
        named = {path for line in each.promised.verify for path in test_files.named_in(line)}
        for path in touched:
            if path in named:
                said = f"{path} is changed, and verifies {each.task}"
                yield ChangeNote(CONCERN, "verify_file", each.task, said)


def _is_file(mode: str) -> bool:
    return mode.startswith("100")


def _name(path: str) -> str:
    return path.rpartition("/")[2]
