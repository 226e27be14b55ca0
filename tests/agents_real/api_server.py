"""A local server with the shapes of the models' APIs, which real agents can be driven against.

It has no model: asked with tools it has a file written, first by a shell command, then by whatever
edits files; and it refuses, or says nothing, where that is the case to try. Only what the agents
ask for is there; sources are the APIs' references and what the programs of `VERSIONS` send.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

#: What each API counts for one answer.
INPUT_TOKENS, OUTPUT_TOKENS = 1200, 34

_SHELLS = ("Bash", "exec_command", "shell", "shell_command", "bash", "run_shell_command")
_EDITORS = ("Write", "write_file", "write", "create")
#: How api.anthropic.com says what is left of a subscription.
_LIMIT_HEADERS = "anthropic-ratelimit-unified"  # api.anthropic.com
_IDS = itertools.count(1)

WORK, LIMIT, LOGIN, CRASH, SILENT = "work", "limit", "login", "crash", "silent"


class Call(NamedTuple):
    """What the model wants a tool to do."""

    name: str
    arguments: dict[str, Any]


class Answer(NamedTuple):
    text: str
    call: Call | None = None


class ApiServer:
    """Messages, Responses, Chat Completions and Gemini on a port of loopback, as a context."""

    def __init__(self, *, does: str, command: str, file: str, content: str, resets: int) -> None:
        """`does` is a case. `command` is run, `content` written; a limit ends in `resets` s."""
        self.does, self.command, self.file, self.content = does, command, file, content
        self.resets = resets
        self.requests: list[str] = []
        self.asked = threading.Event()
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._server.api = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> ApiServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, tools: dict[str, Any], results: int) -> Answer:
        """Say what the model does next, by the tools that it has and how many have answered."""
        shell = next((name for name in _SHELLS if name in tools), "")
        editor = next((name for name in _EDITORS if name in tools), "")
        if not tools or (not shell and not editor):
            return Answer("A file is written")
        if results == 0 and shell:
            return Answer("I look around first.", Call(shell, self._shell(shell, tools[shell])))
        if results <= 1 and editor:
            return Answer("", Call(editor, self._edit(editor, tools[editor])))
        return Answer(f"{self.file} is written, as the task asks.")

    def _shell(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        known = schema.get("properties", {})
        if name == "exec_command":
            return {"cmd": self.command}
        if known.get("command", {}).get("type") == "array":
            return {"command": ["bash", "-lc", self.command]}
        more: dict[str, object] = {}
        more |= {"description": "Look around"} if "description" in known else {}
        more |= {"is_background": False} if "is_background" in known else {}
        return {"command": self.command, **more}

    def _edit(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        known = schema.get("properties", {})
        path = next((one for one in ("file_path", "filePath", "path") if one in known), "file_path")
        content = "file_text" if "file_text" in known else "content"
        return {path: self.file, content: self.content}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""

    def do_GET(self) -> None:
        self._json(200, {"object": "list", "data": [], "models": []})

    def do_HEAD(self) -> None:
        self._json(200, {})

    def do_POST(self) -> None:
        api: ApiServer = self.server.api  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            asked = json.loads(body)
        except ValueError:
            asked = {}
        path = self.path.partition("?")[0]
        api.requests.append(path)
        api.asked.set()
        if path.endswith(("count_tokens", ":countTokens")):
            self._json(200, {"input_tokens": INPUT_TOKENS, "totalTokens": INPUT_TOKENS})
        elif "/v1/messages" in path:
            self._case(api, self._messages, asked)
        elif path.endswith("/responses"):
            self._case(api, self._responses, asked)
        elif path.endswith("/chat/completions"):
            self._case(api, self._chat, asked)
        elif "enerateContent" in path:
            self._case(api, self._gemini, asked)
        else:
            self._json(200, {})

    def _case(self, api: ApiServer, answer: Any, asked: dict[str, Any]) -> None:
        """Answer, refuse or say nothing."""
        shape = answer.__name__
        if api.does == SILENT:
            api.over.wait()
        elif api.does in (LIMIT, LOGIN, CRASH):
            self._refuse(api, shape)
        else:
            answer(api, asked)

    def _refuse(self, api: ApiServer, shape: str) -> None:
        status = {LIMIT: 429, LOGIN: 401, CRASH: 500}[api.does]
        kind, said = {
            LIMIT: (
                "rate_limit_error",
                "This request would exceed your account's rate limit. Please try again in "
                f"{api.resets} seconds.",
            ),
            LOGIN: ("authentication_error", "invalid x-api-key"),
            CRASH: ("api_error", "Internal server error"),
        }[api.does]
        headers = {}
        error: dict[str, Any] = {"type": kind, "message": said}
        if api.does == LIMIT and shape == "_gemini":
            error = {
                "code": 429, "status": "RESOURCE_EXHAUSTED",
                "message": f"You exceeded your current quota. Please retry in {api.resets}s.",
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                        "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}],
                    },
                    {
                        "@type": "type.googleapis.com/google.rpc.RetryInfo",
                        "retryDelay": f"{api.resets}s",
                    },
                ],
            }  # fmt: skip
        elif shape == "_gemini":
            name = {LOGIN: "UNAUTHENTICATED", CRASH: "INTERNAL"}[api.does]
            error = {"code": status, "message": said, "status": name}
        elif api.does == LIMIT and shape == "_messages":
            reset = str(int(time.time()) + api.resets)
            headers = {
                f"{_LIMIT_HEADERS}-status": "rejected",
                f"{_LIMIT_HEADERS}-reset": reset,
                f"{_LIMIT_HEADERS}-representative-claim": "five_hour",
                "x-should-retry": "false",
            }  # fmt: skip
        elif api.does == LIMIT and shape == "_responses":
            error = {
                "type": "usage_limit_reached", "plan_type": "plus",
                "message": "The usage limit has been reached",
                "resets_at": int(time.time()) + api.resets,
                "resets_in_seconds": api.resets,
            }  # fmt: skip
        elif api.does == LIMIT:
            error = {
                "type": "insufficient_quota", "code": "insufficient_quota",
                "message": "You exceeded your current quota, please check your plan and billing "
                f"details. Please try again in {api.resets}s.",
            }  # fmt: skip
        self._json(status, {"type": "error", "error": error}, headers)

    # -- Messages ---------------------------------------------------------------------

    def _messages(self, api: ApiServer, asked: dict[str, Any]) -> None:
        tools = {one.get("name"): one.get("input_schema", {}) for one in asked.get("tools") or []}
        results = sum(
            part.get("type") == "tool_result"
            for message in asked.get("messages", [])
            for part in message["content"] if isinstance(message["content"], list)
        )  # fmt: skip
        answer = api.answer(tools, results)
        model, usage = asked.get("model", "m"), {"input_tokens": INPUT_TOKENS, "output_tokens": 1}
        blocks: list[dict[str, Any]] = []
        if answer.text:
            blocks.append({"type": "text", "text": answer.text})
        if answer.call:
            blocks.append({
                "type": "tool_use", "id": f"toolu_{next(_IDS)}", "name": answer.call.name,
                "input": answer.call.arguments,
            })  # fmt: skip
        reason = "tool_use" if answer.call else "end_turn"
        message = {
            "id": f"msg_{next(_IDS)}", "type": "message", "role": "assistant", "model": model,
            "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage,
        }  # fmt: skip
        ended = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
        if not asked.get("stream"):
            self._json(200, {**message, "content": blocks, "stop_reason": reason, "usage": ended})
            return

        def events() -> Iterator[dict[str, Any]]:
            yield {"type": "message_start", "message": message}
            for n, block in enumerate(blocks):
                empty = {**block, "text": ""} if "text" in block else {**block, "input": {}}
                yield {"type": "content_block_start", "index": n, "content_block": empty}
                delta = (
                    {"type": "text_delta", "text": block["text"]} if "text" in block
                    else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
                )  # fmt: skip
                yield {"type": "content_block_delta", "index": n, "delta": delta}
                yield {"type": "content_block_stop", "index": n}
            delta = {"stop_reason": reason, "stop_sequence": None}
            yield {"type": "message_delta", "delta": delta, "usage": ended}
            yield {"type": "message_stop"}

        self._stream((f"event: {one['type']}\ndata: {json.dumps(one)}\n\n") for one in events())

    # -- OpenAI: responses -------------------------------------------------------------

    def _responses(self, api: ApiServer, asked: dict[str, Any]) -> None:
        tools = {one.get("name"): one.get("parameters") or {} for one in asked.get("tools") or []}
        inputs = asked.get("input")
        inputs = inputs if isinstance(inputs, list) else []
        results = sum(str(one.get("type", "")).endswith("call_output") for one in inputs)
        answer = api.answer(tools, results)
        call = answer.call
        if "exec_command" in tools and results == 1:
            patch = f"*** Begin Patch\n*** Add File: {api.file}\n+{api.content.rstrip()}\n"
            call = Call("exec_command", {"cmd": f"apply_patch <<'EOF'\n{patch}*** End Patch\nEOF"})
        items: list[dict[str, Any]] = []
        if answer.text and not (call and not answer.call):
            items.append({
                "type": "message", "role": "assistant", "id": f"msg_{next(_IDS)}",
                "status": "completed", "content": [
                    {"type": "output_text", "text": answer.text, "annotations": []}
                ],
            })  # fmt: skip
        if call:
            items.append({
                "type": "function_call", "id": f"fc_{next(_IDS)}", "call_id": f"call_{next(_IDS)}",
                "name": call.name, "arguments": json.dumps(call.arguments), "status": "completed",
            })  # fmt: skip
        ended = {
            "id": f"resp_{next(_IDS)}", "object": "response", "status": "completed",
            "model": asked.get("model", "m"), "output": items, "created_at": int(time.time()),
            "usage": {
                "input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS,
                "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 0},
            },
        }  # fmt: skip

        def events() -> Iterator[dict[str, Any]]:
            begun = {**ended, "status": "in_progress", "output": [], "usage": None}
            yield {"type": "response.created", "response": begun}
            for n, item in enumerate(items):
                yield {"type": "response.output_item.added", "output_index": n, "item": item}
                if "content" in item:
                    yield {
                        "type": "response.output_text.delta", "output_index": n,
                        "content_index": 0, "item_id": item["id"], "delta": answer.text,
                    }  # fmt: skip
                yield {"type": "response.output_item.done", "output_index": n, "item": item}
            yield {"type": "response.completed", "response": ended}

        if not asked.get("stream"):
            self._json(200, ended)
            return
        numbered = ({**one, "sequence_number": n} for n, one in enumerate(events()))
        self._stream(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in numbered)

    # -- OpenAI: chat completions --------------------------------------------------------

    def _chat(self, api: ApiServer, asked: dict[str, Any]) -> None:
        functions = [one.get("function", {}) for one in asked.get("tools") or []]
        tools = {one.get("name"): one.get("parameters", {}) for one in functions}
        results = sum(one.get("role") == "tool" for one in asked.get("messages", []))
        answer = api.answer(tools, results)
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
        if answer.call:
            function = {"name": answer.call.name, "arguments": json.dumps(answer.call.arguments)}
            call = {"index": 0, "id": f"call_{next(_IDS)}", "type": "function"}
            message["tool_calls"] = [{**call, "function": function}]
        usage = {
            "prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        }  # fmt: skip
        head = {
            "id": f"chatcmpl-{next(_IDS)}", "created": int(time.time()),
            "model": asked.get("model", "m"),
        }  # fmt: skip
        reason = "tool_calls" if answer.call else "stop"
        if not asked.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": reason}
            self._json(200, {**head, "object": "chat.completion", "choices": [choice],
                             "usage": usage})  # fmt: skip
            return

        def events() -> Iterator[dict[str, Any]]:
            chunk = {**head, "object": "chat.completion.chunk"}
            yield {**chunk, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}
            yield {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
            yield {**chunk, "choices": [], "usage": usage}

        lines = [f"data: {json.dumps(one)}\n\n" for one in events()]
        self._stream([*lines, "data: [DONE]\n\n"])

    # -- Gemini: generateContent ---------------------------------------------------------

    def _gemini(self, api: ApiServer, asked: dict[str, Any]) -> None:
        declared = [
            one for tool in asked.get("tools") or []
            for one in tool.get("functionDeclarations") or []
        ]  # fmt: skip
        tools = {
            one["name"]: one.get("parametersJsonSchema") or one.get("parameters") or {}
            for one in declared
        }
        results = sum(
            "functionResponse" in part
            for content in asked.get("contents", []) for part in content.get("parts", [])
        )  # fmt: skip
        answer = api.answer(tools, results)
        parts: list[dict[str, Any]] = [{"text": answer.text}] if answer.text else []
        if answer.call:
            parts.append({
                "functionCall": {"name": answer.call.name, "args": answer.call.arguments},
                "thoughtSignature": "c2lnbmVk",
            })  # fmt: skip
        if "json" in json.dumps(asked.get("generationConfig", {}).get("responseMimeType", "")):
            parts = [{"text": json.dumps({
                "complexity_reasoning": "short", "complexity_score": 10, "reasoning": "the user",
                "next_speaker": "user", "model_choice": "flash",
            })}]  # fmt: skip
        ended = {
            "candidates": [
                {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": {
                "promptTokenCount": INPUT_TOKENS, "candidatesTokenCount": OUTPUT_TOKENS,
                "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
            },
            "modelVersion": "gemini-2.5-pro", "responseId": f"r{next(_IDS)}",
        }  # fmt: skip
        if "stream" in self.path:
            self._stream([f"data: {json.dumps(ended)}\n\n"])
        else:
            self._json(200, ended)

    # -- HTTP ----------------------------------------------------------------------------

    def _json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _stream(self, events: Any) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for one in events:
            self.wfile.write(one.encode())
            self.wfile.flush()
        self.close_connection = True
