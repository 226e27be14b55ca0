"""Render a project's own prompt template (Jinja2) from the packet.

The template sees `packet`, with the fields of `packet.schema.json`, and `prompt`, the text that
is used without a template. What the graph says is text of others: `{{ packet.mission | data }}`
puts it between fences that it cannot close, as the usual prompt does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ralphgit.app.handoff import prompt as prompts
from ralphgit.app.workspace.commit_message import rendered
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord

#: What a template may ask for although the packet leaves it out.
_EMPTY: Mapping[str, Any] = {"acceptance": [], "scope": {}}


def render(project: Project, path: str, packet: Mapping[str, Any], usual: str) -> str:
    """Render the template at `path` on the base commit, where a branch cannot change it.

    Raises: InvalidRecord (bad_template) with file and line.
    """
    objects = project.repository.objects
    oid = objects.resolve([f"{project.base.commit}:{path}"])[0]
    if oid is None:
        raise InvalidRecord(
            f"agent.prompt names {path}, which {project.base.label} does not have",
            code="bad_template", hint="commit it on the base branch, or drop the setting",
        )  # fmt: skip
    label = f"{project.base.label}:{path}"

    def bad(said: str, line: int) -> InvalidRecord:
        hint = "docs/configuration.md says what a template sees"
        return InvalidRecord(said, file=label, line=line, code="bad_template", hint=hint)

    try:
        text = objects.read([oid])[oid].decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad(f"the template cannot be rendered: {error}", 1) from None
    values = {"packet": {**_EMPTY, **packet}, "prompt": usual}
    return rendered(text, bad, values, {"data": prompts.as_data})
