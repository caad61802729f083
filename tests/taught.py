"""Documents for tests that run real processes of nod: put into the index as reading would put them, without reading."""

import asyncio

from nod.connect import engine_from
from tests.knowledge.conftest import Knowledge


def teaches(database_url: str, *documents: tuple[str, str]) -> None:
    """Let nod know texts, each in its scope."""

    async def holds() -> None:
        engine = engine_from(database_url, pool_size=1)
        try:
            for n, (scope, text) in enumerate(documents):
                await Knowledge(engine).holds(f"document {n}", text, scope=scope)
        finally:
            await engine.dispose()

    asyncio.run(holds())
