"""`mcp`: what agents are offered, and real clients that work with it.

The clients are those of the package mcp, which is imported where one is needed: it takes a second.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import slow
from jsonschema import Draft202012Validator
from running import lines_below
from world import PATIENCE, ROOT, Place, World, until

from ralphgit.cli.command_table import COMMANDS

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

HOSTILE = 'A "title" \u202e</script>\u2066[31m'
GRAPH = f"""\
version: 1
tasks:
  - id: T-1
    title: Say hello
    status: pending
    verify: [grep -q hello a.txt]
    outputs: [a.txt]
    scope:
      write: [a.txt]
  - id: T-2
    title: {json.dumps(HOSTILE)}
    status: pending
  - id: T-3
    title: Endless
    status: pending
    verify: ['touch ../started; sleep 300']
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit("Begin")
    assert made.ralph("trust", "--yes").code == 0
    return made


# -- what is offered ---------------------------------------------------------------------------

OFFERED = (
    *("status", "list", "show", "next", "prompt", "graph", "packet", "log", "inbox"),
    *("claim", "complete", "block", "release", "preflight"),
    *("independence", "evidence", "audit", "check", "diff", "resolve"),
)


def offered(place: Place, *words: str) -> dict[str, Any]:
    """The tools that `mcp WORDS` offers, by name."""
    found = place.ralph("mcp", "--list", "--json", *words)
    assert (found.code, found.err) == (0, "")
    return {tool["name"]: tool for tool in found.data["tools"]}


def test_what_is_offered(world: World) -> None:
    """What `mcp --list` prints stands in docs/mcp.md, which is run."""
    tools = offered(world)
    assert tuple(tools) == OFFERED
    told = [{k: v for k, v in tool.items() if k != "annotations"} for tool in tools.values()]
    # At four bytes a token: 1,820 for 20 tools.
    assert len(json.dumps(told, separators=(",", ":"))) / 4 < 92 * len(tools)
    for name, tool in tools.items():
        Draft202012Validator.check_schema(tool["inputSchema"])
        of_table = {param.name for param in COMMANDS[name].params}
        assert set(tool["inputSchema"].get("properties", ())) <= of_table
    assert tools["show"] == {
        "name": "show",
        "description": "One task in full.",
        "inputSchema": {
            "type": "object",
            "properties": {"task": {"type": "string"}, "at": {"type": "string"}},
            "required": ["task"],
        },
        "annotations": {"readOnlyHint": True},
    }
    assert tools["claim"]["annotations"] == {"destructiveHint": False, "openWorldHint": False}
    assert tools["complete"]["annotations"] == {"destructiveHint": False}
    # Who somebody is, passing a guard and the network are not an agent's to say.
    properties = {name for tool in told for name in tool["inputSchema"].get("properties", ())}
    assert not properties & {"force", "worker", "by", "accept_contract", "fetch", "no_fetch"}


@pytest.mark.slow
def test_more_and_less_can_be_offered(world: World) -> None:
    usual = offered(world)
    looking = offered(world, "--read-only")
    writing = ("claim", "complete", "block", "release", "resolve")
    assert list(looking) == [name for name in usual if name not in writing]
    assert {str(tool["annotations"]) for tool in looking.values()} == {"{'readOnlyHint': True}"}
    assert looking["evidence"]["inputSchema"] == {
        "type": "object",
        "properties": {
            "action": {"type": "string", "enum": ["list", "verify"]},
            "tasks": {"type": "array", "items": {"type": "string"}},
            "at": {"type": "string"},
            "stale": {
                "type": "boolean",
                "description": "list: only what no longer counts.",
            },
        },
        "required": ["action"],
    }  # fmt: skip
    more = offered(world, "--allow", "reset", "--allow", "claim", "--allow", "logs")
    assert set(more) - set(usual) == {"reset", "logs"}
    assert more["reset"]["annotations"] == {"destructiveHint": True, "openWorldHint": False}
    # Allowed is the whole command, but for what goes on for ever.
    assert "force" in more["claim"]["inputSchema"]["properties"]
    assert more["claim"]["annotations"]["destructiveHint"] is True
    assert set(more["logs"]["inputSchema"]["properties"]) == {"name", "task", "loop"}
    for words, message in {
        ("--allow", "rest"): "there is no command rest\nhint: ralphgit --help\n",
        ("--allow", "trust"): "trust is never offered: consent to a repository's commands is a "
        "person's to give\nhint: ralphgit mcp --list\n",
        ("--allow", "reset", "--read-only"): "--allow and --read-only cannot be combined\n"
        "hint: use one of them\n",
        ("--json",): "",
    }.items():
        found = world.ralph("mcp", *words)
        assert found.code == 2
        assert found.err == (f"error: {message}" if message else "")
    assert found.json["error"]["hint"] == "ralphgit mcp --list --json"
    assert world.ralph("-C", "/nowhere/at/all", "mcp") == (
        2, "", "error: /nowhere/at/all is not a folder\nhint: check -C DIR\n",
    )  # fmt: skip
    assert world.ralph("mcp") == (0, "", "")  # stdin has ended before anything was asked


@pytest.mark.slow
def test_without_the_package(world: World) -> None:
    world.write("../without/mcp.py", "raise ImportError('no mcp')\n")
    path = f"{world.folder / 'without'}{os.pathsep}{ROOT}"
    assert world.ralph("mcp", env={"PYTHONPATH": path}) == (
        8, "", "error: the package mcp (2.0 or later) is not installed\n"
        "hint: pip install 'ralphgit[mcp]', or pipx inject ralphgit mcp, "
        "or uv tool install ralphgit --with mcp\n",
    )  # fmt: skip
    assert world.ralph("mcp", "--list", env={"PYTHONPATH": path}).code == 0


# -- at work -------------------------------------------------------------------------------------


@asynccontextmanager
async def connected(place: Place, *words: str, mode: Any = "auto") -> AsyncIterator[Client]:
    """A client of `ralphgit mcp WORDS`, which works in `place`."""
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    server = StdioServerParameters(
        command=sys.executable, args=["-m", "ralphgit", "mcp", *words],
        env=place.environ, cwd=place.path,
    )  # fmt: skip
    async with Client(server, mode=mode, read_timeout_seconds=60) as client:
        yield client


def text(found: CallToolResult) -> str:
    """The first part of an answer."""
    first = found.content[0]
    assert first.type == "text"
    return first.text


async def called(client: Client, tool: str, **arguments: object) -> Any:
    """The data of a call that was answered with a yes."""
    found = await answered(client, tool, **arguments)
    assert set(found) == {"data"}, found
    return found["data"]


async def refused(client: Client, tool: str, **arguments: object) -> Any:
    """The error of a call that was answered with a no."""
    found = await answered(client, tool, **arguments)
    assert "error" in found, found
    return found["error"]


async def answered(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    found = await client.call_tool(tool, arguments)
    (content,) = found.content
    assert content.type == "text" and found.structured_content is None
    assert content.text.isprintable()
    told: dict[str, Any] = json.loads(content.text)
    assert found.is_error == ("error" in told)
    return told


def run(conversation: Callable[[], Awaitable[None]]) -> None:
    import anyio

    anyio.run(conversation)


@pytest.mark.slow
def test_a_task_from_end_to_end(world: World) -> None:
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    beta.claim("T-3")

    async def conversation() -> None:
        async with connected(alpha) as client:
            listed = await client.list_tools()
            found = [t.model_dump(by_alias=True, exclude_none=True) for t in listed.tools]
            assert found == list(offered(world).values())
            assert (await called(client, "next"))["tasks"][1]["title"] == HOSTILE
            held = await refused(client, "claim", task="T-3")
            assert (held["code"], held["exit"], held["holder"]["worker"]) == (
                "claim_held",
                5,
                "beta",
            )
            assert held["hint"] == "ralphgit next"
            taken = await called(client, "claim")
            assert taken["task"]["id"] == "T-1"
            packet = (await called(client, "packet"))["packet"]
            assert taken["packet"] == packet
            assert packet["verify"] == ["grep -q hello a.txt"]
            missing = await refused(client, "complete")
            assert (missing["exit"], missing["code"]) == (1, "verification_failed")
            alpha.write("a.txt", "hello\n")
            done = await called(client, "complete", message="Say -hello", concern=["--force"])
            assert done["task"]["result"]["concerns"] == ["--force"]
            (last,) = (await called(client, "log", task="T-1", limit=1))["events"]
            assert (last["event"], last["by"]) == ("completed", "alpha")

    run(conversation)
    assert alpha.git("log", "-1", "--format=%s") == "Say -hello"
    assert world.ralph("next", "--json").data["tasks"][0]["id"] == "T-2"


#: Calls that are refused, by how: nothing in them becomes an option or another folder.
WRONG: tuple[tuple[str, dict[str, object], str], ...] = (
    ("claim", {"task": "--force"}, "bad_id"),
    ("claim", {"task": "-C/etc"}, "bad_id"),
    ("claim", {"task": ""}, "bad_id"),
    ("claim", {"force": "because"}, "claim has no argument 'force'"),
    ("claim", {"worker": "beta"}, "claim has no argument 'worker'"),
    ("list", {"directory": "/etc"}, "list has no argument 'directory'"),
    ("list", {"at": "--output=x"}, "bad_revision"),
    ("list", {"state": "odd"}, "state of list is one of waiting, "),
    ("next", {"limit": "3"}, "limit of next is a whole number, 0 or more"),
    ("next", {"limit": True}, "limit of next is a whole number, 0 or more"),
    ("next", {"limit": -1}, "limit of next is a whole number, 0 or more"),
    ("graph", {"all": "yes"}, "all of graph is true or false"),
    ("show", {}, "show needs task"),
    ("show", {"task": "T-1\0"}, "task of show is text"),
    ("show", {"task": ["T-1"]}, "task of show is text"),
    ("evidence", {"action": "add", "tasks": "T-1"}, "tasks of evidence is a list of texts"),
    ("evidence", {"action": "add", "tasks": ["--force"]}, "bad_id"),
    ("evidence", {"action": "rm"}, "action of evidence is one of add, list, verify"),
    ("block", {"question": "x" * 200_000}, "cannot run block: Argument list too long"),
)


@pytest.mark.slow
def test_wrong_calls_do_nothing(world: World) -> None:
    before = world.snapshot()

    async def conversation() -> None:
        from mcp.shared.exceptions import MCPError

        # "legacy" is how clients speak that know no newer protocol than 2025-11-25.
        async with connected(world, "--read-only", mode="legacy") as client:
            with pytest.raises(MCPError, match="no tool 'claim'; the tools are status, list, "):
                await client.call_tool("claim", {})
            why = await refused(client, "evidence", action="add", tasks=["T-1"], shows="x")
            assert why["message"] == "evidence has no argument 'shows'"
        async with connected(world) as client:
            for tool, arguments, how in WRONG:
                error = await refused(client, tool, **arguments)
                assert how in (error["code"], error["message"][: len(how)]), (
                    tool,
                    arguments,
                    error,
                )
                assert error["exit"] in (1, 2)

    run(conversation)
    assert world.snapshot() == before


@pytest.mark.slow
def test_a_long_answer_is_cut_and_says_so(world: World) -> None:
    tasks = "".join(f"  - {{id: L-{n}, title: {'x' * 200}, status: pending}}\n" for n in range(300))
    world.write_graph(f"{GRAPH}{tasks}  - {{id: Z, title: {'z' * 60_000}, status: pending}}\n")

    async def conversation() -> None:
        async with connected(world) as client:
            found = await client.call_tool("list", {"all": True})
            assert len(text(found)) <= 40_000
            told = json.loads(text(found))
            kept = [task["id"] for task in told["data"]["tasks"]]
            assert kept[:3] == ["T-1", "T-2", "T-3"] and len(kept) > 80
            assert told["left_off"] == {"tasks": 304 - len(kept)}
            one = text(await client.call_tool("show", {"task": "Z"}))
            assert one.startswith('{"data":{"task":{"id":"Z","title":"zzz')
            assert re.fullmatch(r"\(cut: 40000 of 60\d\d\d characters\)", one.split("\n")[1])

    run(conversation)


# -- ends ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_cancelled_call_ends_what_it_began(world: World) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-3")
    alpha.write("b.txt", "work\n")
    head, started = alpha.head, world.folder / "started"

    async def conversation() -> None:
        import anyio

        async with connected(alpha) as client, anyio.create_task_group() as group:
            scope = anyio.CancelScope()

            async def complete() -> None:
                with scope:
                    await client.call_tool("complete", {})

            group.start_soon(complete)
            while not started.exists():
                await anyio.sleep(0.02)
            # What looks does not wait for what writes.
            assert (await called(client, "show", task="T-3"))["task"]["state"] == "claimed"
            scope.cancel()
            # What writes waits until the other has ended.
            assert (await called(client, "release"))["task"]["status"] == "pending"
            assert not any("sleep 300" in line for line in lines_below(os.getpid()))

    run(conversation)
    assert alpha.git("log", "--format=%s", f"{head}..") == "T-3: released"


OPENING = (
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"}}},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/call",
     "params": {"name": "complete", "arguments": {}}},
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "code"), slow.but(1, [("eof", 0), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
)
def test_the_server_ends_with_its_calls(world: World, ending: object, code: int) -> None:
    alpha = world.worktree("alpha")
    alpha.claim("T-3")
    alpha.write("b.txt", "work\n")
    head = alpha.head
    with subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "-C", str(alpha.path), "mcp"], cwd="/",
        env=alpha.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as server:  # fmt: skip
        assert server.stdin and server.stdout and server.stderr
        server.stdin.write(b"".join(json.dumps(line).encode() + b"\n" for line in OPENING))
        server.stdin.flush()
        until((world.folder / "started").exists)
        if isinstance(ending, signal.Signals):
            server.send_signal(ending)
            assert server.wait(PATIENCE) == code
        else:
            server.stdin.close()
            assert server.wait(PATIENCE) == code
        lines = [json.loads(line) for line in server.stdout.read().splitlines()]
        greeting = lines[0]["result"]
        # A client that has only stopped talking hears what became of its call.
        assert [line["error"]["message"] for line in lines[1:]] == (
            [] if code else ["Connection closed"]
        )
        assert greeting["serverInfo"]["name"] == "ralphgit"
        assert "claim takes the next task" in greeting["instructions"]
        said = server.stderr.read().decode()
    assert said == {0: "", 143: "terminated\n", 130: "interrupted\n"}[code]
    assert alpha.head == head
    assert alpha.ralph("release").code == 0  # no lock is left, and the claim still stands


@pytest.mark.slow
def test_half_of_a_character_is_answered(world: World) -> None:
    """Programs in JavaScript cut text between the halves of a character, and send that."""
    halves = {"task": "T-2\ud83d", "at": "\\ud83d \ud83d\ude00 \ude00"}
    call = {"method": "tools/call", "params": {"name": "show", "arguments": halves}}
    with subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "mcp"], cwd=world.path, env=world.environ,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
    ) as server:  # fmt: skip
        assert server.stdin and server.stdout
        for line in (*OPENING[:-1], {"jsonrpc": "2.0", "id": 7} | call):
            server.stdin.write(json.dumps(line).encode() + b"\n")
        heard = {}
        while 7 not in heard and select.select([server.stdout], [], [], PATIENCE)[0]:
            line = json.loads(server.stdout.readline())
            heard[line["id"]] = line.get("result")
        server.stdin.close()
        assert server.wait(PATIENCE) == 0
    (said,) = heard[7]["content"]
    assert json.loads(said["text"])["error"]["message"].startswith("'T-2\ufffd' is not")


# -- the page ------------------------------------------------------------------------------------


def test_the_configurations_in_the_page_parse() -> None:
    text = (ROOT / "docs" / "mcp.md").read_text()
    found = re.findall(r"^```(json|toml)\n(.*?)^```$", text, re.M | re.S)
    assert len(found) == 5
    for kind, block in found:
        said = json.dumps(json.loads(block) if kind == "json" else tomllib.loads(block))
        assert re.search(r'"ralphgit": \{.*"ralphgit".*"mcp"', said), block
