"""Write the log of an agent as it works: readable lines, with the raw events beside them.

Of an agent that prints JSON each event becomes a line (`presets`), and `TASK-CLAIM.jsonl` has what
it really printed; what is no JSON passes through as it is. Both are redacted and capped.
"""

from __future__ import annotations

import json
import os
import re
from typing import IO

from ralphgit.loop.presets.preset import Did, Ended, Erred, Reading, Said, Seen, Used
from ralphgit.model import characters
from ralphgit.model.task import Usage
from ralphgit.model.usage import in_words, total
from ralphgit.records import atomic_files
from ralphgit.records.redact_secrets import LineRedactor, redact, redact_end
from ralphgit.rules.agent_signs import Words

_TAIL_CHARACTERS = 16 * 1024
#: More than the tail, so that a secret at its beginning is seen whole.
_KEPT_BYTES = 64 * 1024
_LONGEST_LINE = 64 * 1024
#: Where a longer one is parted: before a word, for it may be a secret that goes on.
_LAST_WORD = re.compile(rb"(?<![\w+/=.~%-])[\w+/=.~%-]{1,8192}\Z")
#: An event holds what a tool has read.
_LONGEST_EVENT = 16 * 1024 * 1024


class AgentLog:
    """The log of an attempt, and what of it says how the agent ended."""

    def __init__(
        self, path: str, *, limit: int, secrets: tuple[str, ...], reading: Reading, top: str = ""
    ) -> None:  # fmt: skip
        """Paths below `top` are shown from there. Raises: OSError."""
        self._log = _Capped(path, limit, secrets)
        self._raw: _Capped | None = None
        self._raw_path, self._limit = os.path.splitext(path)[0] + ".jsonl", limit
        # In JSON a secret may be written otherwise.
        written = (json.dumps(one)[1:-1] for one in secrets)
        self._raw_secrets = tuple(dict.fromkeys((*secrets, *written)))
        self._secrets, self._read, self._top = secrets, reading.read, top and top + os.sep
        self._errors = re.compile(reading.errors.encode()) if reading.errors else None
        self._rest = bytearray()
        self._errs = False
        self._own = bytearray()
        self._piece = ""
        self._used: dict[str, Usage] = {}
        self._all_used: Usage | None = None
        self.result: Words | None = None
        """The last words of a typed result, none of one that went well; None without such."""

    def add(self, data: bytes) -> bool:
        """Take what was printed; the last line waits for its end, so that no secret is cut.

        Returns whether it shows that the agent is alive: an error that it repeats does not.
        """
        alive = False
        whole, ending, rest = data.rpartition(b"\n")
        if not ending:
            self._rest += data
        else:
            whole = bytes(self._rest) + whole
            self._rest[:] = rest
            if self._read is None and self._errors is None:
                self._pass(whole)  # however many lines: none of them is looked at
                alive = True
            else:
                for line in whole.split(b"\n"):
                    alive |= self._line(line)
        longest = _LONGEST_EVENT if self._is_event(self._rest) else _LONGEST_LINE
        if len(self._rest) > longest:
            word = _LAST_WORD.search(self._rest)
            end = word.start() if word else len(self._rest)
            self._pass(bytes(self._rest[:end]))
            del self._rest[:end]
            return True
        return alive or bool(self._rest and data)

    def close(self) -> None:
        if self._rest:
            self._line(bytes(self._rest))
            self._rest.clear()
        self._end_message()
        self._log.close()
        if self._raw is not None:
            self._raw.close()

    @property
    def tail(self) -> str:
        """The end of the agent's own words: not what its tools did. Redacted, and without what no
        text may hold.
        """
        end = bytes(self._own + self._rest)[-_KEPT_BYTES:]
        clean = (redact if len(end) < _KEPT_BYTES else redact_end)(
            end.decode("utf-8", "replace"), self._secrets
        )
        return characters.without(clean)[-_TAIL_CHARACTERS:]

    @property
    def usage(self) -> Usage:
        """What the agent said that it has used, with the model it named last, redacted."""
        found = total(self._used.values())
        if self._all_used is not None:
            found = total((Usage(model=found.model), self._all_used))
        return found._replace(model=redact(found.model, self._secrets))

    def _is_event(self, line: bytes | bytearray) -> bool:
        return self._read is not None and line.startswith(b"{")

    def _line(self, line: bytes) -> bool:
        if self._is_event(line):
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                event = None
            if isinstance(event, dict) and isinstance(event.get("type"), str):
                return self._event(event, line)
        if self._errors is not None and (found := self._errors.match(line)):
            self._errs = True
            self._pass(b"error: " + found[found.lastindex or 0])
            return False
        self._pass(line)
        self._errs &= line[:1].isspace() or line in (b"{", b"}")  # as a trace goes on
        return not self._errs

    def _event(self, event: dict[str, object], line: bytes) -> bool:
        assert self._read is not None
        if self._raw is None:
            self._raw = _Capped(self._raw_path, self._limit, self._raw_secrets)
        self._raw.write(line)
        seen = self._read(event)
        for one in seen:
            self._show(one)
        if seen:
            self._errs = all(isinstance(one, Erred) for one in seen)
        return not self._errs

    def _show(self, seen: Seen) -> None:
        if not (isinstance(seen, Said) and seen.more):
            self._end_message()
        match seen:
            case Said(text, more):
                self._piece += text
                if not more:
                    self._end_message()
            case Did(text):
                self._log.write(
                    text.replace(self._top, "").encode() if self._top else text.encode()
                )
            case Erred(text):
                self._pass(f"error: {text}".encode())
            case Used(usage, key):
                self._used[key] = usage if key else total((self._used.get("", Usage()), usage))
            case Ended(failed, status, usage):
                clean = redact(failed, self._secrets)
                self.result = Words(tuple(clean.splitlines()), status) if failed else Words()
                self._all_used = usage
                if failed:
                    self._pass(failed.encode())
                elif said := in_words(self.usage):
                    self._log.write(f"used {said}".encode())

    def _end_message(self) -> None:
        if self._piece.strip():
            self._pass(self._piece.strip().encode())
        self._piece = ""

    def _pass(self, lines: bytes) -> None:
        """Write what are the agent's own words."""
        self._own += lines[-_KEPT_BYTES:] + b"\n"
        if len(self._own) > 2 * _KEPT_BYTES:
            del self._own[:-_KEPT_BYTES]
        self._log.write(lines)


class _Capped:
    """A file that gets whole lines, redacted, up to a number of bytes; then nothing more."""

    def __init__(self, path: str, limit: int, secrets: tuple[str, ...]) -> None:
        """Raises: OSError."""
        self._file: IO[bytes] = atomic_files.appending(path)
        self._left = limit - os.fstat(self._file.fileno()).st_size
        self._redactor = LineRedactor(secrets)

    def write(self, lines: bytes) -> None:
        """Write one line or several, without the end of the last."""
        start = 0
        while self._left > 0 and start <= len(lines):
            end = lines.find(b"\n", start)
            end = len(lines) if end < 0 else end
            self._write(lines[start:end])
            start = end + 1

    def _write(self, line: bytes) -> None:
        clean = (self._redactor.redact(line.decode("utf-8", "replace")) + "\n").encode()
        self._left -= len(clean)
        if self._left <= 0:
            clean += b"[the log is full; what follows is not kept]\n"
        try:
            self._file.write(clean)
        except OSError:
            self._left = 0  # a full disk does not stop the agent

    def close(self) -> None:
        self._file.close()
