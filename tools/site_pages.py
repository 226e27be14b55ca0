"""A hook of mkdocs: pages that stand at the top of the repository, and links that leave `docs/`.

On a forge README.md and its kind link into `docs/`, and pages there link back. On the site both lie
in one folder, and what is no page is shown where the source is.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
#: Each file at the top of the repository that is a page, and its name on the site.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in `docs/`."""
    for source, name in PAGES.items():
        content = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links as the repository has them into links of the site."""
    del files
    return site_links(markdown, page.file.src_uri, config.extra["source"])


def site_links(text: str, name: str, repository: str) -> str:
    """The text of the page `name`, with the links of its source turned into the site's."""
    sources = {page: source for source, page in PAGES.items()}
    source = sources.get(name, f"docs/{name}")

    def turned(found: re.Match[str]) -> str:
        path = os.path.normpath(os.path.join(os.path.dirname(source), found[1]))
        if not (ROOT / path).exists():
            return found[1]
        if path in PAGES:
            target = PAGES[path]
        elif path.startswith("docs/"):
            target = path.removeprefix("docs/")
        else:
            return f"{repository}/blob/main/{path}"
        return os.path.relpath(target, os.path.dirname(name) or ".")

    return _LINK.sub(turned, text)
