"""What every request passes: our host, our origin, a body that is not too long; and what every answer says to the browser."""

import httpx
import pytest

from nod.errors import ConfigError
from tests.web.conftest import BASE


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example@127.0.0.1", "127.0.0.1/x", "", "[::2]"])
async def test_a_page_called_by_another_name_answers_nothing(host, visits):
    visitor = await visits("admin")
    assert (await visitor.get("/chat", Host=host)).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8130", "localhost:9000", "[::1]:8130"])
async def test_a_tunnel_to_this_machine_may_end_at_any_port(host, visits):
    assert (await (await visits(None)).get("/chat", Host=host)).status_code == 401


async def test_health_is_asked_by_whatever_name(visits):
    assert (await (await visits(None)).get("/healthz", Host="10.0.0.7:8130")).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
async def test_what_another_page_sends_is_refused_even_with_the_token(headers, visits):
    visitor = await visits("admin")
    assert (await visitor.post("/language", {"language": "ko"}, headers=headers)).status_code == 403
    assert (await visitor.post("/language", {"language": "ko"}, headers={"Origin": BASE})).status_code == 204


async def test_a_body_that_is_too_long_is_refused_whether_or_not_it_says_so(visits):
    visitor = await visits("admin")
    form = b"text=" + b"x" * 1_100_000

    async def unannounced():
        for start in range(0, len(form), 65536):
            yield form[start : start + 65536]

    path = "/chat/3f0c6a52-6d6c-4a3f-9c55-000000000000/ask"
    headers = {"X-CSRF-Token": visitor.csrf, "Content-Type": "application/x-www-form-urlencoded"}
    assert (await visitor.http.post(path, content=form, headers=headers)).status_code == 413
    assert (await visitor.http.post(path, content=unannounced(), headers=headers)).status_code == 413


@pytest.mark.parametrize("path", ["/chat", "/in/x", "/nowhere", "/healthz"])
async def test_every_answer_binds_the_browser(path, visits):
    headers = (await (await visits(None)).get(path)).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


async def test_the_session_cookie_is_for_this_page_alone(visits, services, engine, record, settings):
    from nod.accounts import make_link

    stranger = await visits(None)
    entered = await stranger.post(httpx.URL(await make_link(engine, record, settings)).path)
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


async def test_behind_https_the_cookie_never_travels_without_it(settings, engine, record):
    from bot.web.app import app_from
    from nod.accounts import make_link
    from nod.process import running

    public = settings.model_copy(update={"web_url": "https://nod.example.com"})
    async with running("web", public) as services:
        transport = httpx.ASGITransport(app=app_from(services))
        async with httpx.AsyncClient(transport=transport, base_url="https://nod.example.com") as http:
            entered = await http.post(
                httpx.URL(await make_link(engine, record, public)).path, headers={"Origin": "https://nod.example.com"}
            )
    assert entered.status_code == 303
    assert "Secure" in entered.headers["set-cookie"]


async def test_the_page_does_not_open_to_a_network_without_its_address(settings):
    from bot.web.server import serve

    with pytest.raises(ConfigError, match="NOD_WEB_URL"):
        await serve(settings.model_copy(update={"web_host": "0.0.0.0"}))


async def test_a_stranger_learns_how_to_get_in_and_a_script_of_ours_gets_a_sentence(visits):
    stranger = await visits(None)
    page = await stranger.get("/chat")
    assert page.status_code == 401
    assert "nod link" in page.text
    fragment = await stranger.get("/chat/list", **{"HX-Request": "true"})
    assert fragment.status_code == 401
    assert "<html" not in fragment.text


async def test_what_is_not_there_says_so_in_the_visitors_language(visits):
    visitor = await visits("member")
    assert "여기에는 아무것도" in (await visitor.get("/chat/not-an-id", **{"Accept-Language": "ko"})).text
    assert "There is nothing here" in (await visitor.get("/nowhere", **{"Accept-Language": "en"})).text
