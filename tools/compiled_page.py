"""`python -m compiled_page`: compile the report's page, a Jinja2 template, to Python.

It goes into the package, so that `ralphgit report` neither imports Jinja2 nor compiles.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, StrictUndefined

from ralphgit.app.report import template_runtime

FOLDER = Path(template_runtime.__file__).parent
COMPILED = FOLDER / "compiled_page.py"
_RUNTIME = (
    "from ralphgit.app.report.template_runtime import (\n    Context, Environment, "
    "TemplateRuntimeError, Undefined, environment, escape, internalcode, missing,\n)\n"
)
_HEAD = '''"""Render the page: compiled from page.html by `just page`. Do not edit."""
# ruff: noqa
# mypy: ignore-errors

from collections.abc import Iterator

'''
_ROOT = "def root(context, missing=missing, environment=environment):"
_TYPED = (
    "def root(\n    context: Context, missing: object = missing, "
    "environment: Environment = environment\n) -> Iterator[str]:"
)


def engine() -> Environment:
    """Return the engine that the page is written for."""
    made = Environment(
        autoescape=True, finalize=template_runtime.shown, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["age"] = template_runtime.age
    made.policies["json.dumps_kwargs"] = template_runtime.JSON
    return made


def template() -> str:
    """Return the page's source."""
    return (FOLDER / "page.html").read_text(encoding="utf-8")


def compiled() -> str:
    """Return the page as a Python module."""
    code = engine().compile(template(), raw=True)
    imported, _, rest = code.partition("\n")
    assert imported.startswith("from jinja2.runtime import "), imported
    body = rest.partition("\nblocks = {}")[0].replace("name = None\n", "", 1)
    assert body.count(_ROOT) == 1
    return _HEAD + _RUNTIME + body.replace(_ROOT, _TYPED).rstrip("\n") + "\n"


if __name__ == "__main__":
    COMPILED.write_text(compiled(), encoding="utf-8")
