"""Reading and writing objects through `git cat-file --batch` and `git hash-object`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ralphgit.git.process import Git


class Objects:
    """The object store of a repository."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self._listed: dict[str, tuple[tuple[str, str], ...]] = {}

    def resolve(self, specs: Sequence[str]) -> list[str | None]:
        """The object id of each spec (`REV`, `REV:PATH`), None where there is none.

        One process, whatever the number; contents are not read.
        """
        if not specs:
            return []
        request = "".join(f"{spec}\n" for spec in specs).encode("utf-8", "surrogateescape")
        out = self.git.run("cat-file", "--batch-check=%(objectname)", stdin=request)
        found: list[str | None] = []
        for line in out.decode("utf-8", "surrogateescape").splitlines():
            found.append(None if line.endswith((" missing", " ambiguous")) else line)
        return found

    def read(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of each object that exists, by what it was asked for as."""
        wanted = list(dict.fromkeys(oids))
        if not wanted:
            return {}
        request = "".join(f"{oid}\n" for oid in wanted).encode("utf-8", "surrogateescape")
        out = self.git.run("cat-file", "--batch=%(objectsize)", stdin=request)
        found = {}
        at = 0
        for oid in wanted:
            end = out.index(b"\n", at)
            header = out[at:end]
            at = end + 1
            if header.endswith((b" missing", b" ambiguous")):
                continue
            size = int(header)
            found[oid] = out[at : at + size]
            at += size + 1
        return found

    def files(
        self, commits: Sequence[str], exact: Sequence[str], folders: Sequence[str],
        matches: Callable[[str], bool],
    ) -> dict[str, tuple[tuple[str, str], ...]]:
        """For each commit, the (path, blob id) pairs of the wanted files, sorted by path.

        Wanted are the paths in `exact`, and those below `folders` ("" is the top) that
        `matches` accepts. Equal folders of different commits are listed once.
        """
        unique = list(dict.fromkeys(commits))
        places = [*exact, *folders]
        specs = [f"{commit}:{place}" for commit in unique for place in places]
        oids = self.resolve(specs)
        found = {}
        for number, commit in enumerate(unique):
            mine = oids[number * len(places) : (number + 1) * len(places)]
            pairs: dict[str, str] = {}
            for place, oid in zip(places, mine, strict=True):
                if oid is None:
                    continue
                if place in folders:
                    for path, blob in self._below(oid):
                        full = f"{place}/{path}" if place else path
                        if matches(full):
                            pairs[full] = blob
                else:
                    pairs[place] = oid
            found[commit] = tuple(sorted(pairs.items()))
        return found

    def _below(self, tree: str) -> tuple[tuple[str, str], ...]:
        """Path and id of every file below a tree."""
        if tree not in self._listed:
            result = self.git.try_run("ls-tree", "-r", "-z", "--full-tree", tree)
            pairs = []
            for entry in result.out.decode("utf-8", "surrogateescape").split("\0"):
                meta, _, path = entry.partition("\t")
                if path and meta.split()[1] == "blob":
                    pairs.append((path, meta.split()[2]))
            self._listed[tree] = tuple(pairs)
        return self._listed[tree]

    def write_blob(self, data: bytes) -> str:
        """Store `data` as it is (no filters) and give its id."""
        return self.git.line("hash-object", "-w", "--stdin", "--no-filters", stdin=data)
