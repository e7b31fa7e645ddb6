"""The official MCP client before `everpaw mcp`, a puppet robot behind it."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the [neighbours] extra is not installed")

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from runtime.broker import available_kind, run_broker
from runtime.contracts import messages as m
from tests.runtime.dashboard.puppet import Puppet


def with_client(port: int, use: Callable[[ClientSession], Awaitable[Any]]) -> Any:
    words = ["-m", "runtime.cli", "mcp", "--broker", f"127.0.0.1:{port}", "--robot", "rex"]
    server = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))

    async def run() -> Any:
        async with stdio_client(server) as (reader, writer), ClientSession(reader, writer) as session:
            await session.initialize()
            return await use(session)

    return asyncio.run(asyncio.wait_for(run(), 120))


def test_skills_are_tools_that_ask_and_tell_the_end(tmp_path: Path) -> None:
    if available_kind() is None:
        pytest.skip("no broker is installed")
    with ExitStack() as stack:
        port = stack.enter_context(run_broker()).port
        puppet = stack.enter_context(closing(Puppet(port, tmp_path / "memory", "rex")))
        ended = threading.Event()

        def body() -> None:
            """Does each skill that is asked for, which ends the one before it."""
            done = 0
            while not ended.wait(0.02):
                puppet.tick() if int(time.monotonic() * 50) % 50 == 0 else None
                skills = puppet.of(m.SkillRequest)
                for asked in skills[done:]:
                    told = (("before", "preempted"), (asked.id, "accepted"), (asked.id, "done"))
                    for command, status in told:
                        ack = {"id": command, "act": "skill", "status": status, "mono_ms": 1}
                        puppet.bus.publish("ack/command", m.Ack.model_validate(ack))
                done = len(skills)

        thread = threading.Thread(target=body)
        thread.start()
        stack.callback(thread.join)
        stack.callback(ended.set)

        async def use(session: ClientSession) -> list[Any]:
            tools = (await session.list_tools()).tools
            return [
                tools,
                await session.call_tool("do_skill", {"skill": "sit"}),
                await session.call_tool("do_skill", {"skill": "fly"}),
                await session.call_tool("say", {"text": "hello"}),
                await session.call_tool("hold_still", {}),
                await session.call_tool("state", {}),
            ]

        tools, sat, flew, said, held, state = with_client(port, use)
    assert {tool.name for tool in tools} == {"do_skill", "say", "hold_still", "state"}
    assert "sit, wave" in next(tool.description for tool in tools if tool.name == "do_skill")
    assert sat.content[0].text == "sit: done"
    assert "no skill 'fly'" in flew.content[0].text
    assert [type(message).__name__ for message in puppet.asked].count("SkillRequest") == 1
    assert {"SayRequest", "HaltRequest"} <= {type(message).__name__ for message in puppet.asked}
    assert "happy" in state.content[0].text
    assert not said.is_error
    assert not held.is_error
