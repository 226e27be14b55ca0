"""Real git servers on loopback, for as long as a context lasts."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

_S = TypeVar("_S", bound="Served")


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class GitDaemon:
    """`git daemon` over a folder of bare repositories; anybody may push."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder, self._environ = folder, dict(environ)
        self._port = free_port()

    def __enter__(self) -> GitDaemon:
        # The daemon itself and not `git daemon`: it is to end with us.
        daemon = os.path.join(
            subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
            .stdout.strip(), "git-daemon",
        )  # fmt: skip
        self._process = subprocess.Popen(
            [
                daemon, "--reuseaddr", "--export-all", "--enable=receive-pack",
                "--listen=127.0.0.1", f"--port={self._port}", f"--base-path={self._folder}",
                str(self._folder),
            ],
            env=self._environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(3000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return self
            if self._process.poll() is not None:
                break
            time.sleep(0.02)  # git daemon tells nobody when it listens
        raise RuntimeError("git daemon does not listen")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def where(self, name: str) -> str:
        """Where a repository of the folder is reached."""
        return f"git://127.0.0.1:{self._port}/{name}"


class Served:
    """A web server, from when it is made until it is closed; also a context."""

    def __init__(self, answer: type[BaseHTTPRequestHandler], **known: Any) -> None:
        """`answer` finds `known` in its `server`."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), answer)
        self._server.daemon_threads = True
        vars(self._server).update(known)
        # A test that fails before it closes it is not to wait for it for ever.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self: _S) -> _S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class HttpBackend(Served):
    """`git http-backend` over a folder of bare repositories, behind a small web server.

    Anybody may push; with `password`, whoever knows it, by whichever name.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], *, password: str = "") -> None:
        super().__init__(Cgi, folder=folder, environ=dict(environ), password=password)

    def where(self, name: str) -> str:
        """Where a repository of the folder is reached."""
        return f"{self.url}/{name}"


class Answer(BaseHTTPRequestHandler):
    """One request; whoever derives from it says what becomes of it."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        return

    def answer(self, status: int, data: bytes = b"", **fields: str) -> None:
        """Answer with this content, and these fields of the head (`_` stands for `-`)."""
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)


class Cgi(Answer):
    """A request that is given to the program as CGI (RFC 3875) has it."""

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.body()
        if not self._is_known():
            self.answer(401, WWW_Authenticate='Basic realm="git"')
            return
        environ = {
            **self.server.environ,  # type: ignore[attr-defined]
            "GIT_PROJECT_ROOT": str(self.server.folder),  # type: ignore[attr-defined]
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": "user", "REMOTE_ADDR": "127.0.0.1",
        }  # fmt: skip
        done = subprocess.run(
            ["git", "http-backend"], env=environ, input=body, capture_output=True, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [line.decode().split(": ", 1) for line in head.split(b"\r\n") if line]
        status = next((value for name, value in fields if name == "Status"), "200 OK")
        told = {name.replace("-", "_"): value for name, value in fields
                if name not in ("Status", "Content-Length")}  # fmt: skip
        self.answer(int(status.split()[0]), content, **told)

    do_GET = do_POST = _serve

    def _is_known(self) -> bool:
        password = getattr(self.server, "password", "")
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        return not password or base64.b64decode(given).decode().rpartition(":")[2] == password
