"""Ways in: a link works once and not for long, nothing of it can be read in the database, roles are what was said."""

import asyncio

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from nod.accounts import SignedIn, give_role, link_works, make_link, session_of, sign_in, sign_out
from nod.accounts_cli import link as link_command
from nod.contracts import Person
from nod.errors import ConfigError, NotFoundError

JISU = Person(platform="slack", workspace="T1", external_id="U1", name="지수")


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


async def test_of_many_who_open_a_link_at_once_one_is_signed_in(engine, record, settings):
    token = token_of(await make_link(engine, record, settings))
    outcomes = await asyncio.gather(*(sign_in(engine, settings, token) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, NotFoundError) for outcome in outcomes) == 5


async def test_a_link_is_too_old_after_a_quarter_of_an_hour(engine, record, settings):
    token = token_of(await make_link(engine, record, settings))
    async with engine.begin() as db:
        await db.execute(text("UPDATE sign_in_links SET expires_at = expires_at - interval '15 minutes'"))
    assert not await link_works(engine, token)
    with pytest.raises(NotFoundError):
        await sign_in(engine, settings, token)


async def test_looking_at_a_link_does_not_use_it_up(engine, record, settings):
    token = token_of(await make_link(engine, record, settings))
    assert await link_works(engine, token)
    assert await link_works(engine, token)
    assert (await sign_in(engine, settings, token)).session.role == "admin"


async def test_neither_link_nor_session_can_be_read_in_the_database(engine, record, settings):
    token = token_of(await make_link(engine, record, settings))
    session_token = (await sign_in(engine, settings, token)).token
    async with engine.connect() as db:
        for table in ("sign_in_links", "sessions", "accounts", "audit"):
            rows = str((await db.execute(text(f"SELECT * FROM {table}"))).all())
            assert token not in rows
            assert session_token not in rows


async def test_a_session_ends_when_one_signs_out_and_when_its_time_is_over(engine, record, settings):
    first = await sign_in(engine, settings, token_of(await make_link(engine, record, settings)))
    second = await sign_in(engine, settings, token_of(await make_link(engine, record, settings)))
    await sign_out(engine, first.token)
    assert await session_of(engine, settings, first.token) is None
    assert await session_of(engine, settings, second.token)
    async with engine.begin() as db:
        await db.execute(text("UPDATE sessions SET expires_at = now()"))
    assert await session_of(engine, settings, second.token) is None


async def test_the_same_name_is_the_same_account_with_the_role_given_last(engine, record, settings):
    first = await sign_in(engine, settings, token_of(await make_link(engine, record, settings, role="member", name="민지")))
    second = await sign_in(engine, settings, token_of(await make_link(engine, record, settings, role="reviewer", name="민지 ")))
    assert first.session.account_id == second.session.account_id
    now = await session_of(engine, settings, first.token)
    assert now
    assert now.role == "reviewer"


async def test_a_link_for_nobody_is_only_the_admins_own(engine, record, settings):
    with pytest.raises(ConfigError, match="--for NAME"):
        await make_link(engine, record, settings, role="reviewer")


async def test_somebody_from_chat_is_a_member_unless_nod_admins_names_them(engine, record, settings):
    token = (await sign_in(engine, settings, token_of(await make_link(engine, record, settings, role="admin", person=JISU)))).token
    named = settings.model_copy(update={"admins": ("slack:U1",)})
    assert (await _role(engine, settings, token), await _role(engine, named, token)) == ("member", "admin")


async def test_no_stored_role_makes_somebody_from_chat_an_admin(engine, record, settings):
    token = (await sign_in(engine, settings, token_of(await make_link(engine, record, settings, person=JISU)))).token
    session = await session_of(engine, settings, token)
    await give_role(engine, session.person_id, "admin")
    assert await _role(engine, settings, token) == "member"
    await give_role(engine, session.person_id, "reviewer")
    await make_link(engine, record, settings, person=JISU)
    assert await _role(engine, settings, token) == "reviewer"


async def test_a_person_taken_off_nod_admins_is_no_admin_any_more(engine, record, settings):
    named = settings.model_copy(update={"admins": ("slack:U1",)})
    token = (await sign_in(engine, named, token_of(await make_link(engine, record, named, person=JISU)))).token
    assert (await _role(engine, named, token), await _role(engine, settings, token)) == ("admin", "member")


async def _role(engine, settings, token):
    session = await session_of(engine, settings, token)
    assert session
    return session.role


def run(settings, *arguments):
    env = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "NOD_SECRET_KEY": "1" * 64, "NOD_WEB_PORT": "8131"}
    return CliRunner(env=env).invoke(link_command, arguments, catch_exceptions=True)


def test_nod_link_prints_an_address_in_the_language_of_the_terminal(settings, monkeypatch):
    english = run(settings, "--role", "reviewer", "--for", "민지")
    assert english.exit_code == 0
    assert "http://127.0.0.1:8131/in/" in english.output
    assert "15 minutes" in english.output
    monkeypatch.setenv("NOD_LANGUAGE", "ko")
    assert "15분" in run(settings).output


def test_a_role_in_chat_is_given_only_to_somebody_nod_has_met(settings):
    refused = run(settings, "--role", "reviewer", "--for", "slack:U404")
    assert isinstance(refused.exception, NotFoundError)
    assert "slack:U404" in str(refused.exception)
    assert isinstance(run(settings, "--for", "slack:U404").exception, ConfigError)
