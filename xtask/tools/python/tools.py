"""Lists the tools of an MCP server on stdio, with the Python client: tools.py PROGRAM [ARGUMENT ...]"""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main() -> None:
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        listing = await session.list_tools()
        print(json.dumps({"tools": [{"name": tool.name} for tool in listing.tools]}))


asyncio.run(main())
