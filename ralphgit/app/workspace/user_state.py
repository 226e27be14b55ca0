"""Name what ralphgit keeps for this user outside of repositories."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from ralphgit import digests


def folder(environ: Mapping[str, str], kind: str) -> str:
    """Return the folder of one kind of it, below XDG_STATE_HOME (`~/.local/state`)."""
    home = environ.get("XDG_STATE_HOME") or os.path.join(
        environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir, ".local", "state"
    )
    return os.path.join(home, "ralphgit", kind)


def name(*what: str) -> str:
    """Return the name of what is kept about `what`, which it does not tell."""
    text = "\n".join(what).encode("utf-8", "surrogateescape")
    return digests.begin("sha256", text, len(text)).hexdigest()[:20]
