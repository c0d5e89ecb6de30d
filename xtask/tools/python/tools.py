"""Lists the tools of an MCP server with the Python client, and calls one of them.

tools.py TOOL ARGUMENTS --http URL TOKEN_FILE
tools.py TOOL ARGUMENTS PROGRAM [ARGUMENT ...]
"""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


@asynccontextmanager
async def streams(words):
    if words[0] == "--http":
        token = Path(words[2]).read_text().strip()
        client = create_mcp_http_client(headers={"Authorization": f"Bearer {token}"})
        async with client, streamable_http_client(words[1], http_client=client) as pipes:
            yield pipes[0], pipes[1]
    else:
        async with stdio_client(StdioServerParameters(command=words[0], args=words[1:])) as pipes:
            yield pipes


async def main() -> None:
    tool, arguments, *words = sys.argv[1:]
    async with streams(words) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        listing = await session.list_tools()
        answer = await session.call_tool(tool, json.loads(arguments))
        said = answer.model_dump(mode="json", by_alias=True)
        names = [{"name": each.name} for each in listing.tools]
        print(json.dumps({"tools": names, "called": said.get("structuredContent")}))


asyncio.run(main())
