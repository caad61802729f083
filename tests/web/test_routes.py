"""Who may do what: 3 roles and a stranger on every route. A route without a row here fails."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.routing import BaseRoute, Mount

from feedback.votes import cast
from knowledge.removal import take_source_away
from knowledge.sync import follow
from knowledge.teaching import Lesson, teach
from nod.contracts import EVERYONE, Source, Vote
from tests.web.visitors import Visitor

OPEN = {"admin": 200, "reviewer": 200, "member": 200, "stranger": 200}
SIGNED_IN = {"admin": 200, "reviewer": 200, "member": 200, "stranger": 401}
REVIEWERS = {"admin": 200, "reviewer": 200, "member": 403, "stranger": 401}
ADMINS = {"admin": 200, "reviewer": 403, "member": 403, "stranger": 401}
ROLES = tuple(OPEN)


@dataclass(frozen=True)
class Row:
    """One route: what each may do on what is their own (or nobody's), and what is sent."""

    route: str
    may: dict[str, int]
    data: dict[str, Any] | None = None
    files: dict[str, Any] | None = None
    query: str = ""
    document: str = "document_id"  # which of the world's documents is meant
    source: str = "source_id"  # and which of its sources
    others: int | None = None  # what comes back for somebody else's; None: the address names nobody's

    @property
    def method(self) -> str:
        return self.route.split()[0]

    @property
    def path(self) -> str:
        return self.route.split()[1]


def _of(statuses: dict[str, int], **changed: int) -> dict[str, int]:
    return statuses | changed


def _instead_of_200(statuses: dict[str, int], status: int) -> dict[str, int]:
    return {role: status if found == 200 else found for role, found in statuses.items()}


FILE = ("leave.md", b"# Leave\n\nFive days may be carried over.\n", "text/markdown")
ROWS = (
    Row("GET /healthz", OPEN),
    Row("GET /readyz", _instead_of_200(OPEN, 503)),  # no worker runs here
    Row("GET /metrics", dict.fromkeys(OPEN, 401)),  # a session is not enough: only the token is
    Row("GET /", _instead_of_200(OPEN, 303)),
    Row("GET /in/{token}", OPEN),
    Row("POST /in/{token}", _instead_of_200(OPEN, 303)),
    Row("POST /out", _instead_of_200(SIGNED_IN, 204)),
    Row("POST /language", _instead_of_200(OPEN, 204), {"language": "ko"}),
    Row("GET /chat", SIGNED_IN),
    Row("GET /chat/list", SIGNED_IN),
    Row("GET /chat/tasks", SIGNED_IN),
    Row("GET /chat/{conversation}", SIGNED_IN, others=404),
    Row("POST /chat/{conversation}/ask", SIGNED_IN, {"text": "And half days?", "message_id": ""}, others=404),
    Row("POST /chat/{conversation}/rename", SIGNED_IN, {"title": "Leave"}, others=404),
    Row("POST /chat/{conversation}/delete", SIGNED_IN, others=404),
    Row("POST /chat/{conversation}/restore", SIGNED_IN, others=404),
    Row("POST /chat/{conversation}/files", SIGNED_IN, files={"file": FILE}, others=404),
    Row("GET /chat/{conversation}/files/{document_id}", SIGNED_IN, others=404),
    Row("GET /chat/answers/{answer_id}", SIGNED_IN, others=404),
    Row("GET /chat/answers/{answer_id}/live", SIGNED_IN, others=404),
    Row("GET /chat/answers/{answer_id}/sources/{n}", SIGNED_IN, others=404),
    Row("POST /chat/answers/{answer_id}/vote", SIGNED_IN, {"value": "up", "kind": "set"}, others=404),
    Row("POST /chat/answers/{answer_id}/reasons", SIGNED_IN, {"reason": "wrong", "comment": "Ten days"}, others=404),
    Row("POST /chat/answers/{answer_id}/stop", _instead_of_200(SIGNED_IN, 204), others=404),
    Row("POST /chat/answers/{answer_id}/again", SIGNED_IN, others=404),
    Row("POST /chat/answers/{answer_id}/delete", SIGNED_IN, others=404),
    Row("POST /chat/answers/{answer_id}/restore", SIGNED_IN, others=404),
    Row("GET /review", REVIEWERS),
    Row("POST /review/{answer_id}", REVIEWERS, {"verdict": "good"}),
    Row("POST /review/{answer_id}/undo", REVIEWERS),
    Row("GET /review/{answer_id}/sources/{n}", REVIEWERS),
    Row("GET /knowledge", SIGNED_IN),
    Row("GET /knowledge/table", SIGNED_IN),
    Row("POST /knowledge/files", ADMINS, files={"files": FILE}),
    Row("GET /knowledge/uploads", ADMINS, query="?document=1"),
    Row("GET /knowledge/try", SIGNED_IN),
    Row("GET /knowledge/gaps", SIGNED_IN),
    Row("GET /knowledge/sources", SIGNED_IN),
    Row("GET /knowledge/sources/list", SIGNED_IN),
    Row("GET /knowledge/sources/{source_id}", SIGNED_IN),
    Row("POST /knowledge/sources", ADMINS, {"kind": "site", "location": "https://93.184.216.34/docs/", "scope": "everyone"}),
    Row("POST /knowledge/sources/{source_id}/sync", ADMINS),
    Row("POST /knowledge/sources/{source_id}/move", ADMINS, {"location": "https://93.184.216.34/moved/"}),
    Row("POST /knowledge/sources/{source_id}/remove", _instead_of_200(ADMINS, 204)),
    Row("POST /knowledge/sources/{source_id}/restore", _instead_of_200(ADMINS, 204), source="source_gone"),
    Row("POST /knowledge/teach", SIGNED_IN, {"text": "The pool opens on Tuesdays.", "scope": "own"}),
    Row("POST /knowledge/shared", ADMINS, {"conversation": "own", "name": "leave.md"}),
    Row("GET /knowledge/documents/{document_id}", SIGNED_IN, others=404, document="taught_id"),
    Row("POST /knowledge/documents/{document_id}/remove", _instead_of_200(SIGNED_IN, 204), others=404, document="taught_id"),
    Row("POST /knowledge/documents/{document_id}/read", _instead_of_200(SIGNED_IN, 204), others=404, document="taught_id"),
    Row("POST /knowledge/documents/{document_id}/restore", _instead_of_200(SIGNED_IN, 204), others=404, document="removed_id"),
    Row("POST /knowledge/lessons/{lesson_id}/undo", SIGNED_IN, others=404),
    Row("GET /dead", ADMINS),
    Row("POST /dead/{dead_id}/retry", ADMINS),
    Row("POST /dead/{dead_id}/drop", ADMINS),
)


def routes_of(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None and not getattr(route, "methods", None):
            yield from routes_of(inner.routes)
        elif not isinstance(route, Mount):
            yield from (f"{method} {route.path}" for method in route.methods - {"HEAD"})  # type: ignore[attr-defined]


def test_every_route_has_a_row(app):
    found = set(routes_of(app.routes))
    assert len(found) > 20, "the routes were not found: FastAPI keeps them elsewhere now"
    assert {row.route for row in ROWS} == found


@dataclass
class World:
    """What the addresses name."""

    answer_id: UUID
    conversation: UUID
    document_id: int
    dead_id: UUID
    taught_id: int
    removed_id: int
    lesson_id: int
    scope: str
    source_id: int
    source_gone: int

    def path(self, row: Row, token: str) -> str:
        meant = {"document_id": getattr(self, row.document), "source_id": getattr(self, row.source)}
        return row.path.format(**asdict(self) | meant, n=1, token=token) + row.query

    def data(self, row: Row) -> dict[str, Any]:
        """What is sent; a message has an id of its own, and `own` is what belongs to the visitor."""
        own = {"scope": self.scope, "conversation": str(self.conversation)}
        return {name: own[name] if value == "own" else value or str(uuid4()) for name, value in (row.data or {}).items()}


async def world_of(visitor: Visitor) -> World:
    """Return a conversation of a visitor's own with an answer, a vote on it, a file and a source, and a question that was given up."""
    conversation = uuid4()
    source = Source(n=1, document_id=404, passage_id=404, title="HR policy", passage="Up to five days.")
    answer_id = await visitor.answered("Can I carry leave over?", "Up to five days [1].", source, conversation=conversation)
    answer = await visitor.services.record.answer(answer_id)
    vote = Vote(event_id=str(uuid4()), person=answer.person, kind="set", value="down", source="web", token="thumb",
                at=answer.accepted_at, answer_id=answer_id)  # fmt: skip
    await cast(visitor.services.engine, visitor.services.record, vote)
    dropped = await visitor.post(f"/chat/{conversation}/files", files={"file": FILE})
    document_id = int(dropped.text.split('data-document="')[1].split('"')[0])
    dead_id = await visitor.given_up("What breaks you?")
    scope = f"person:web:{answer.person.external_id}"
    services, me = visitor.services, answer.person
    taught, gone = [await teach(services.engine, services.record, Lesson(text, scope), me) for text in ("The gym opens at six.", "Gone.")]
    assert (await visitor.post(f"/knowledge/documents/{gone.document_id}/remove")).status_code == 204
    source_id, source_gone = [await follow(services.engine, "site", f"https://93.184.216.34/{uuid4()}/", EVERYONE) for _ in range(2)]
    async with services.engine.begin() as db:
        person_id = await services.record.person_id(db, me)
    await take_source_away(services.engine, source_gone, person_id)
    return World(
        answer_id, conversation, document_id, dead_id, taught.document_id, gone.document_id, taught.lesson_id, scope, source_id, source_gone
    )


async def send(visitor: Visitor, row: Row, world: World, token: str = "") -> int:
    if row.method == "GET":
        return (await visitor.get(world.path(row, token))).status_code
    return (await visitor.post(world.path(row, token), world.data(row), files=row.files)).status_code


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.route)
async def test_each_may_do_what_the_table_says(row, visits, engine, record, settings):
    from nod.accounts import make_link

    visitors, worlds, tokens = {}, {}, {}
    for role in ROLES:
        visitors[role] = visitor = await visits(None if role == "stranger" else role, name=f"the {role}")
        is_anothers = role == "stranger" or row.path.startswith(("/review/", "/dead/"))
        owner = await visits("member", name=f"the owner for the {role}") if is_anothers else visitor
        worlds[role] = await world_of(owner)
        tokens[role] = (await make_link(engine, record, settings, name="guest")).rpartition("/")[2]
    assert {role: await send(visitors[role], row, worlds[role], tokens[role]) for role in ROLES} == row.may


@pytest.mark.parametrize("row", [row for row in ROWS if row.others], ids=lambda row: row.route)
async def test_what_is_somebody_elses_is_not_there_for_anybody(row, visits):
    owner = await visits("member", name="the owner")
    world = await world_of(owner)
    for role in ("admin", "member"):
        assert await send(await visits(role, name="somebody else"), row, world) == row.others, role
    assert await send(owner, row, world) in (200, 204)


@pytest.mark.parametrize("row", [row for row in ROWS if row.method == "POST" and row.path != "/in/{token}"], ids=lambda row: row.route)
async def test_no_writing_call_does_without_the_sessions_own_token(row, visits):
    visitor, other = await visits("admin"), await visits("admin", name="another admin")
    world = await world_of(visitor)
    for token in ("", "wrong", other.csrf):
        visitor.csrf = token
        assert await send(visitor, row, world) == 403, token
