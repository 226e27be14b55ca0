"""Word the commits that ralphgit makes: by the project's template, or in the worker's own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord
from ralphgit.model import characters
from ralphgit.model.config import Config
from ralphgit.records.redact_secrets import words_of_message

_DEFAULT = Config().commit_subject
#: A line's length that every convention lets pass.
_WIDTH = 72
#: In characters: more than that no title has.
_LONGEST = 10_000
_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*: \S")
#: What a worker may not say of its work: ralphgit does.
_OURS = re.compile(r"Ralph-(?:Task|Claim|Worker|Work):", re.IGNORECASE)


def rendered(
    text: str,
    where: Callable[[str, int], InvalidRecord],
    values: Mapping[str, object],
    filters: Mapping[str, Callable[..., str]] | None = None,
) -> str:
    """Render a Jinja2 template of the project.

    `where` makes the error of a sentence and a line: it says which template it is.
    """
    # Here and not above: it takes as long to import as all else that a command does.
    from ralphgit.app.workspace import bounded_template

    try:
        return bounded_template.render(text, values, filters or {})
    except bounded_template.Unrenderable as error:
        raise where(f"the template cannot be rendered: {error}", error.line) from None


def subject(
    project: Project,
    task: str,
    title: str,
    *,
    event: str,
    worker: str = "",
    story: str = "",
    usual: str = "",
) -> str:
    """Render `commit.subject` for a commit about a task; of several tasks, all ids.

    `title`: the task's, or what is said of it. `event`: what the audit calls it. `usual`:
    the subject where the project has no template of its own, if that is another one.

    Raises: InvalidRecord (bad_template).
    """
    template, title = project.config.commit_subject, " ".join(title.split())
    if template == _DEFAULT:
        return usual or f"{task}: {title}"
    told = {"task": task, "title": title, "event": event, "worker": worker, "story": story}
    made = " ".join(rendered(template, _bad_template, {"packet": told}).split())
    if not made:
        raise _bad_template("the template makes an empty subject", 1)
    if len(made) > _LONGEST:
        raise _bad_template(f"the template makes a subject of {len(made)} characters", 1)
    if wrong := characters.forbidden(made):
        raise _bad_template(f"the template makes a {characters.described(wrong)}", 1)
    return made


def require_template(project: Project) -> None:
    """Raises: InvalidRecord (bad_template) where `commit.subject` cannot be rendered."""
    subject(project, "T-1", "Title", event="completed", worker="worker", story="S-1")


def require_identity(project: Project) -> None:
    """Raises: NeedsPerson (no_identity) where git does not know in whose name it commits."""
    git, config = project.repository.git, project.repository.config
    named = (f"GIT_{role}_{key}" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL"))
    if (config.get("user.name") and config.get("user.email")) or all(map(git.environ.get, named)):
        return  # most have that, and no process has to be started
    for name in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        git.run("var", name)


def _bad_template(said: str, line: int) -> InvalidRecord:
    return InvalidRecord(
        f"commit.subject: {said}", line=line, code="bad_template",
        hint="docs/configuration.md says what the template sees",
    )  # fmt: skip


def trailers(task: str, claim: str, worker: str) -> str:
    return f"Ralph-Task: {task}\nRalph-Claim: {claim}\nRalph-Worker: {worker}\n"


def _wrapped(sentence: str) -> str:
    import textwrap  # a commit of records alone has no sentences

    return textwrap.fill(
        sentence, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def message(head: str, body: Sequence[str], trailers: str) -> str:
    """Join a subject, or a whole message of a worker's, with sentences and our trailers.

    Long sentences are wrapped. Trailers at the end of `head` stay trailers.
    """
    head, body = words_of_message(head), [words_of_message(one) for one in body]
    lines = [line.rstrip() for line in head.strip().split("\n") if not _OURS.match(line)]
    text = "\n".join(lines).strip()
    wrapped = [_wrapped(" ".join(one.split())) for one in body if one.strip()]
    last = text.rpartition("\n\n")
    own = bool(last[0]) and all(_TRAILER.match(line) for line in last[2].split("\n"))
    if own and wrapped:
        text, trailers = last[0], f"{last[2]}\n{trailers}"
    parts = [text, *(["\n".join(wrapped)] if wrapped else [])]
    return "\n\n".join(parts) + ("\n" if own and not wrapped else "\n\n") + trailers
