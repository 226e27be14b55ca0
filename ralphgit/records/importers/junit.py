"""Import failing tests from a JUnit report: a task for each test file that has some.

What most test runners write, with small differences: the file of a test stands in `file`, in the
name of its suite, or has to be made of `classname`. What a task verifies is its file as a whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.model.paths import fault
from ralphgit.model.printable import cut
from ralphgit.model.task_status import Status
from ralphgit.records.importers.import_format import NO, SURE, Importer
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts.field_mapping import in_order, task_of
from ralphgit.records.importers.parts.headings import digest, slug
from ralphgit.records.importers.source_file import SourceFile

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ROOT = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<testsuites?[\s>/]", re.DOTALL)
#: Entities of its own make a small file a large one; no test runner writes any.
_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_FILE = re.compile(r"[\w@.+-]+(?:[/\\][\w@.+ ()\[\]-]+)*\.[a-z]{1,4}")
_CODE = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts")
#: How a file of tests is run, by its suffix.
_RUN = {
    ".py": "python -m pytest -q {}", ".rb": "bundle exec rspec {}", ".php": "vendor/bin/phpunit {}",
    ".exs": "mix test {}", ".dart": "dart test {}", ".bats": "bats {}",
}  # fmt: skip
_LONGEST = 200
"""Letters of a test's message."""
_SHORT = 40
"""Letters of a file's name that are all in the id."""


class _Failure(NamedTuple):
    file: str
    """"" where the report does not say."""
    suite: str
    test: str
    message: str


def _sniff(file: SourceFile) -> int:
    return SURE if _ROOT.match(file.text) else NO


def _read(file: SourceFile) -> Imported:
    """A task for each file with failing tests, in the order of the report.

    Raises: InvalidRecord for what is no such report, has entities, or has no failing test.
    """
    root = _parsed(file)
    log = Log()
    by_file: dict[str, list[_Failure]] = {}
    cases = list(_cases(root, ()))
    for suites, case in cases:
        if failure := _failure(suites, case):
            by_file.setdefault(failure.file or failure.suite, []).append(failure)
    if not by_file:
        raise file.refused(f"none of the {len(cases)} tests in this file has failed")
    runner = " ".join(filter(None, (root.get("name"), *(each.get("name") for each in root))))
    ids = _ids(list(by_file))
    tasks = [_task(ids[name], name, failures, runner, log) for name, failures in by_file.items()]
    failed = sum(map(len, by_file.values()))
    log.note(f"{failed} of {len(cases)} tests failed: a task for each file that they are in.")
    found = log.imported(tasks, {})
    return found._replace(failing=True, as_of=_time(root))


def _time(root: Element) -> str:
    """When the last suite was run; "" where no time with a zone is given."""
    times = []
    for each in root.iter():
        try:
            time = datetime.fromisoformat(each.get("timestamp") or "")
        except ValueError:
            continue
        if time.tzinfo is not None:
            times.append(time)
    return max(times).isoformat() if times else ""


def _parsed(file: SourceFile) -> Element:
    from xml.etree import ElementTree

    if not _ROOT.match(file.text):
        raise file.refused("this is no JUnit report")
    if found := _DOCTYPE.search(file.text):
        line = file.text.count("\n", 0, found.start()) + 1
        raise file.refused("an XML file with a document type is not read", line=line)
    try:
        # The text has no document type, and so no entity that could grow.
        return ElementTree.fromstring(file.text.lstrip().encode())
    except ElementTree.ParseError as error:
        line, column = error.position
        raise InvalidRecord(
            f"this is not XML: {error.msg.partition(':')[0]}", file=file.name, line=line,
            column=column + 1, code="syntax", hint="have the test runner write it once more",
        ) from None  # fmt: skip


def _cases(
    element: Element, suites: tuple[Element, ...]
) -> Iterator[tuple[tuple[Element, ...], Element]]:
    """Each test, with the suites around it, the inner one last."""
    for each in element:
        if each.tag == "testcase":
            yield (*suites, element), each
        elif each.tag == "testsuite":
            yield from _cases(each, (*suites, element))


def _failure(suites: tuple[Element, ...], case: Element) -> _Failure | None:
    bad = next((each for each in case if each.tag in ("failure", "error")), None)
    if bad is None:
        return None
    names = [suite.get("name") or "" for suite in reversed(suites)]
    # pytest names a module that it cannot load so, in a test without a class.
    group = case.get("classname") or case.get("name") or next(filter(None, names), "tests")
    said = bad.get("message") or (bad.text or "").strip()
    message = cut(" ".join(said.split()), _LONGEST)
    places = [case.get("file"), *(suite.get("file") for suite in reversed(suites)), group, *names]
    file = next((path for path in map(_path, filter(None, places)) if path), "")
    return _Failure(file or _of_class(group), group, case.get("name") or group, message)


def _path(text: str) -> str:
    """`text` as the path of a file, "" where it is none, or leaves the repository."""
    path = text.strip().replace("\\", "/").removeprefix("./")
    return path if _FILE.fullmatch(path) and not fault(path) else ""


def _of_class(name: str) -> str:
    """The file of pytest's `tests.unit.test_a.TestB`: up to the part that is a module of tests."""
    parts = name.split(".")
    for place, part in enumerate(parts):
        if re.fullmatch(r"test_\w+|\w+_test", part) and all(map(str.isidentifier, parts)):
            return "/".join(parts[: place + 1]) + ".py"
    return ""


def _ids(names: Sequence[str]) -> dict[str, str]:
    """An id for each file, of its words; with a digest of it where that says too little."""
    slugs = {name: slug(name) for name in names}
    often = Counter(slugs.values())
    return {
        name: new if often[new] == 1 and len(name) <= _SHORT else f"{new[:32]}-{digest(name)}"
        for name, new in slugs.items()
    }


def _task(
    new: str, name: str, failures: list[_Failure], runner: str, log: Log
) -> dict[str, object]:
    file = failures[0].file
    told = [f"- {one.test}" + (f": {one.message}" if one.message else "") for one in failures]
    fields: dict[str, object] = {
        "title": f"The tests in {name} pass",
        "status": Status.PENDING.value,
        "description": "These tests fail:\n\n" + "\n".join(told),
    }
    command = _command(file, runner)
    if command:
        fields["verify"] = [command]
    else:
        fields["acceptance"] = [f"all tests in {name} pass"]
        log.note(f"{name}: how its tests are run is not known here; add a verify command.")
    return in_order(task_of(new, fields, log, ""))


def _command(file: str, runner: str) -> str:
    if not file:
        return ""
    quoted = file if re.fullmatch(r"[\w@./+-]+", file) else "'" + file + "'"
    suffix = "." + file.rpartition(".")[2]
    if suffix in _CODE:
        words = runner.casefold()
        if "vitest" in words or "jest" in words:
            return f"npx {'vitest run' if 'vitest' in words else 'jest'} {quoted}"
        return f"npm test -- {quoted}"
    return _RUN[suffix].format(quoted) if suffix in _RUN else ""


IMPORTER = Importer(
    name="junit",
    help="A JUnit report: a task for each file with failing tests.",
    sniff=_sniff,
    read=_read,
)
