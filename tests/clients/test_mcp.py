"""The official package of the Model Context Protocol on both sides of the proxy."""

import asyncio
import os
import pathlib
import socket
import subprocess
import sys
import time

import httpx2
import pytest
from conftest import Gateway
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

SERVER = str(pathlib.Path(__file__).with_name("mcp_server.py"))
# With a handshake and sessions, and without either.
MODES = ["legacy", "2026-07-28"]


async def everything(client):
    """What a client does, and what it gets."""
    tools = [tool.name for tool in (await client.list_tools()).tools]
    assert tools == ["add", "read_note"]
    added = await client.call_tool("add", {"a": 1, "b": 2})
    assert not added.is_error and added.structured_content == {"result": 3}
    note = await client.call_tool("read_note", {"name": "lunch"})
    assert "about lunch" in note.content[0].text
    bad = await client.call_tool("read_note", {"name": "bad"})
    assert bad.is_error and "withheld" in bad.content[0].text
    assert "evil" not in bad.content[0].text
    hidden = await client.call_tool("poisoned", {"a": 1})
    assert hidden.is_error and "refused" in hidden.content[0].text
    resources = [str(resource.uri) for resource in (await client.list_resources()).resources]
    assert resources == ["note://lunch"]
    read = await client.read_resource("note://lunch")
    assert read.contents[0].text == "At noon."
    prompt = await client.get_prompt("summarise", {"text": "a note"})
    assert prompt.messages[0].content.text == "Summarise: a note"


@pytest.mark.parametrize("mode", MODES)
def test_wrapped(tmp_path, mode):
    async def run():
        server = StdioServerParameters(
            command=os.environ["BARTIZAN_BIN"],
            args=["mcp", "wrap", "--name", "notes", "--", sys.executable, SERVER],
            cwd=str(tmp_path),
        )
        async with Client(server, mode=mode) as client:
            await everything(client)

    asyncio.run(asyncio.wait_for(run(), 60))
    pins = (tmp_path / "bartizan.mcp.lock").read_text()
    assert "read_note" in pins and "poisoned" not in pins


@pytest.fixture(scope="module")
def address():
    """The server at an address of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, SERVER, str(port)])
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/mcp"
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="module")
def servers(tmp_path_factory, address):
    folder = pathlib.Path(tmp_path_factory.mktemp("mcp"))
    config = f"mcp: {{servers: {{near: {{command: ['{sys.executable}', '{SERVER}']}}, far: {{url: '{address}'}}}}}}\n"
    running = Gateway(folder, config)
    yield running
    running.stop()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["near", "far"])
def test_behind_the_gateway(servers, name, mode):
    async def run():
        headers = {"Authorization": f"Bearer {servers.key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
            transport = streamable_http_client(f"{servers.url}/mcp/{name}", http_client=http)
            async with Client(transport, mode=mode) as client:
                await everything(client)

    asyncio.run(asyncio.wait_for(run(), 60))


def test_surveyed(tmp_path, address):
    for server in ([sys.executable, SERVER], [address]):
        command = [os.environ["BARTIZAN_BIN"], "mcp", "scan", "--name", "notes", "--", *server]
        scan = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert scan.returncode == 1, scan.stderr
        assert "tools/list/poisoned" in scan.stdout
        assert "evil" not in scan.stdout
