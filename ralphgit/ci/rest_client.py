"""Ask a forge's REST API: with a time limit, no redirects, and the token sent nowhere else."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from ralphgit.errors import RemoteUnavailable

_SECONDS = 20.0
_MOST_PAGES = 50
_PAGE = 100


class Denied(Exception):
    """The token may not do that, or may not see it."""


class Passing(Exception):
    """No answer, or one that says to come again."""


class Api:
    """The API below `url`; every request has `headers`."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url.rstrip("/")
        self._headers = dict(headers)
        self._opener = urllib.request.build_opener(_NoRedirect())

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Send a request; returns the answer's JSON. Raises: Denied, Passing, RemoteUnavailable."""
        request = urllib.request.Request(
            f"{self._url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"User-Agent": "ralphgit", "Content-Type": "application/json", **self._headers},
        )
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error, f"{method} {path.partition('?')[0]}") from None
        except (OSError, ValueError) as error:
            raise Passing(f"{method}: {getattr(error, 'reason', error)}") from error
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise Passing(f"{method} {path.partition('?')[0]} did not answer with JSON") from None

    def all(self, path: str) -> list[dict[str, Any]]:
        """Return every item of a list that comes in pages. Raises: as `ask`."""
        found: list[dict[str, Any]] = []
        for page in range(1, _MOST_PAGES + 1):
            sign = "&" if "?" in path else "?"
            items = self.ask("GET", f"{path}{sign}per_page={_PAGE}&page={page}")
            if not isinstance(items, list):
                raise RemoteUnavailable(f"{path.partition('?')[0]} is not a list")
            found += [item for item in items if isinstance(item, dict)]
            if len(items) < _PAGE:
                break
        return found


def _refusal(error: urllib.error.HTTPError, what: str) -> Exception:
    limited = error.headers.get("Retry-After") or error.headers.get("X-RateLimit-Remaining") == "0"
    if error.code >= 500 or error.code == 429 or (error.code == 403 and limited):
        return Passing(f"{what}: HTTP {error.code}")
    if error.code in (401, 403, 404):
        return Denied(f"{what}: HTTP {error.code}")
    return RemoteUnavailable(f"{what}: HTTP {error.code}", code="forge_failed")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token along to wherever it leads."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None
