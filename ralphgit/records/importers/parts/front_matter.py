"""Find the front matter of a Markdown document: YAML between two lines `---`."""

from __future__ import annotations

import re

#: Some tools put what follows right behind the second line: `---## Description`.
FENCED = re.compile(
    r"\A(?P<open>\ufeff?---[ \t]*\r?\n)(?P<inside>.*?)"
    r"^---[ \t]*(?:\r?\n|\r?\Z|(?=#{1,6}[ \t]|<!--))",
    re.DOTALL | re.MULTILINE,
)
