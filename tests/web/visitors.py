"""A visitor of the page as a test speaks of them: a browser's client with a session."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx

from nod.accounts import make_link, session_of
from nod.contracts import Outcome, Source
from nod.process import Services


@dataclass
class Visitor:
    """Somebody with a browser. Writing calls carry the session's CSRF token, as the page's own scripts send it."""

    http: httpx.AsyncClient
    services: Services
    csrf: str = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers=headers)

    async def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        headers = {"X-CSRF-Token": self.csrf, "HX-Request": "true"} | more.pop("headers", {})
        return await self.http.post(path, data=data or {}, headers=headers, **more)

    async def ask(self, text: str, conversation: UUID | None = None, message_id: UUID | None = None, **form: Any) -> UUID:
        """Ask, and return the answer's id."""
        form |= {"text": text, "message_id": str(message_id or uuid4())}
        said = await self.post(f"/chat/{conversation or uuid4()}/ask", form)
        assert said.status_code == 200, said.text
        found = re.search(r'data-answer="([0-9a-f-]{36})"', said.text)
        assert found, said.text
        return UUID(found[1])

    async def answered(self, text: str, answer: str, *sources: Source, conversation: UUID | None = None, **outcome: Any) -> UUID:
        """Ask, have the question answered as a worker would, and return the answer's id."""
        answer_id = await self.ask(text, conversation)
        claims = self.services.claims
        (task,) = [task for task in await claims.claim(10) if task.answer_id == answer_id]
        await self.services.record.finish(answer_id, task.attempt, Outcome(status="answered", text=answer, sources=sources, **outcome))
        return answer_id

    async def given_up(self, text: str) -> UUID:
        """Ask something that fails three times, and return the answer's id."""
        answer_id = await self.ask(text)
        for _ in range(3):
            (task,) = [task for task in await self.services.claims.claim(10) if task.answer_id == answer_id]
            await self.services.claims.strike(answer_id, task.attempt, "ValueError", wait_seconds=0)
        return answer_id


async def arrive(services: Services, http: httpx.AsyncClient, role: str | None, name: str) -> Visitor:
    """Return a visitor who signed in by a link; a stranger did not."""
    visitor = Visitor(http, services)
    if role:
        link = await make_link(services.engine, services.record, services.settings, role=role, name=name)  # type: ignore[arg-type]
        entered = await http.post(httpx.URL(link).path)
        assert entered.status_code == 303, entered.text
        session = await session_of(services.engine, services.settings, http.cookies["nod_session"])
        assert session is not None
        visitor.csrf = session.csrf_token
    return visitor
