"""Accounts of the web page: who may sign in, as what, by which one-time link, and for how long.

A link works once, within 15 minutes; its token and the session's token are kept as SHA-256 only. Whoever asks for a link for
somebody is trusted to hand it to them: the terminal's owner, and the bots, which send it privately to the very person.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from nod.contracts import Person
from nod.errors import ConfigError, NotFoundError
from nod.language import Language, clean
from nod.program import typed
from nod.record import Record
from nod.saying import say
from nod.settings import Settings

Role = Literal["admin", "reviewer", "member"]
ROLES: tuple[Role, ...] = ("admin", "reviewer", "member")
LINK_MINUTES = 15
SESSION_DAYS = 30  # from the last visit
LOCAL_ADMIN = "admin"  # external id of the one whom `nod up` greets

_ACCOUNT = text("""
    INSERT INTO accounts (person_id, role) VALUES (:person_id, :role)
    ON CONFLICT (person_id) DO UPDATE SET role = CASE WHEN :keep_role THEN accounts.role ELSE excluded.role END
    RETURNING account_id, disabled_at""")

_USE_LINK = text("""
    UPDATE sign_in_links l SET used_at = now() FROM accounts a
     WHERE l.token_hash = :hash AND l.used_at IS NULL AND l.expires_at > now()
       AND a.account_id = l.account_id AND a.disabled_at IS NULL
    RETURNING l.account_id, a.person_id""")

_SESSION = text("""
    SELECT a.account_id, a.person_id, a.role, a.language AS account_language, s.csrf_token, s.expires_at,
           s.seen_at < now() - interval '1 hour' AS is_stale,
           p.platform, p.workspace, coalesce(p.external_id, '') AS external_id, p.name, p.language
      FROM sessions s JOIN accounts a USING (account_id) JOIN persons p USING (person_id)
     WHERE s.token_hash = :hash AND s.expires_at > now() AND a.disabled_at IS NULL AND p.erased_at IS NULL""")

_SWEEP = (
    text("DELETE FROM sign_in_links WHERE expires_at < now() - interval '1 day'"),
    text("DELETE FROM sessions WHERE expires_at < now()"),
)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in. `role` already takes NOD_ADMINS into account; `csrf_token` must come back with each writing call."""

    account_id: int
    person_id: int
    person: Person
    role: Role
    csrf_token: str
    expires_at: datetime
    language: Language | None = None

    @property
    def may_review(self) -> bool:
        """Whether votes and verdicts of others may be seen."""
        return self.role in ("admin", "reviewer")

    @property
    def is_admin(self) -> bool:
        """Whether everything may be done."""
        return self.role == "admin"


async def make_link(
    engine: AsyncEngine, record: Record, settings: Settings, *, role: Role = "admin", name: str = "", person: Person | None = None
) -> str:
    """Return a sign-in address that works once, within 15 minutes.

    With `person` the account is that Slack or Discord person's: admin when NOD_ADMINS names them, else what they are already,
    else a member. Without, it is the page's own person called `name` (no name: the local admin), who gets `role`.
    Raises ConfigError when nobody is named for another role, UnavailableError never: the caller sees PostgreSQL's own errors.
    """
    who = person or _page_person(role, name)
    stored: Role = "member" if person else role
    token = secrets.token_urlsafe(16)
    async with engine.begin() as db:
        for sweep in _SWEEP:
            await db.execute(sweep)
        person_id = await record.person_id(db, who)
        account = (await db.execute(_ACCOUNT, {"person_id": person_id, "role": stored, "keep_role": person is not None})).one()
        if account.disabled_at:
            raise ConfigError(say("error.closed_account", name=who.name or who.external_id))
        await db.execute(
            text("""INSERT INTO sign_in_links (token_hash, account_id, expires_at)
                    VALUES (:hash, :account_id, now() + make_interval(mins => :minutes))"""),
            {"hash": _hash(token), "account_id": account.account_id, "minutes": LINK_MINUTES},
        )
    return f"{settings.public_url}/in/{token}"


def _page_person(role: Role, name: str) -> Person:
    name = " ".join(clean(name).split())
    if not name and role != "admin":
        raise ConfigError(say("error.link_for_whom", role=role))
    return Person(platform="web", workspace="", external_id=f"name:{name.casefold()}" if name else LOCAL_ADMIN, name=name)


async def give_role(engine: AsyncEngine, person_id: int, role: Role) -> None:
    """Give a person a role; somebody without an account gets one."""
    async with engine.begin() as db:
        await db.execute(_ACCOUNT, {"person_id": person_id, "role": role, "keep_role": False})


async def find_person(engine: AsyncEngine, key: str) -> tuple[int, Person]:
    """Return the person whom `slack:U123` or `discord:456` names. Raises NotFoundError when nod has not met them."""
    platform, _, external_id = key.partition(":")
    async with engine.connect() as db:
        row = (
            await db.execute(
                text("""SELECT person_id, platform, workspace, external_id, name FROM persons
                         WHERE platform = :platform AND external_id = :id ORDER BY person_id DESC LIMIT 1"""),
                {"platform": platform, "id": external_id},
            )
        ).first()
    if not row:
        raise NotFoundError(say("error.never_met", who=key))
    return row.person_id, Person(platform=row.platform, workspace=row.workspace, external_id=row.external_id, name=row.name)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session just begun, with the token that only the browser keeps."""

    token: str
    session: Session


async def link_works(engine: AsyncEngine, token: str) -> bool:
    """Return whether a link would sign somebody in, without using it up (link previews only look)."""
    async with engine.connect() as db:
        found = await db.execute(
            text("SELECT 1 FROM sign_in_links WHERE token_hash = :hash AND used_at IS NULL AND expires_at > now()"), {"hash": _hash(token)}
        )
        return found.first() is not None


async def sign_in(engine: AsyncEngine, settings: Settings, token: str) -> SignedIn:
    """Use a link up and begin a session, in one transaction. Raises NotFoundError for a link that is used, too old or unknown."""
    session_token = secrets.token_urlsafe(32)
    async with engine.begin() as db:
        used = (await db.execute(_USE_LINK, {"hash": _hash(token)})).first()
        if not used:
            raise NotFoundError(f"This sign-in link was used already or is older than 15 minutes. A new one: {typed()} link")
        await db.execute(
            text("""INSERT INTO sessions (token_hash, account_id, csrf_token, expires_at)
                    VALUES (:hash, :account_id, :csrf, now() + make_interval(days => :days))"""),
            {"hash": _hash(session_token), "account_id": used.account_id, "csrf": secrets.token_urlsafe(24), "days": SESSION_DAYS},
        )
        await db.execute(text("INSERT INTO audit (person_id, action) VALUES (:id, 'sign_in')"), {"id": used.person_id})
        session = await _session(db, settings, session_token)
    assert session is not None, "the session was written in this transaction"
    return SignedIn(session_token, session)


async def session_of(engine: AsyncEngine, settings: Settings, token: str) -> Session | None:
    """Return who is signed in with a session's token, and keep the session alive; None for a stranger."""
    if not token:
        return None
    async with engine.begin() as db:
        return await _session(db, settings, token)


async def _session(db: AsyncConnection, settings: Settings, token: str) -> Session | None:
    row = (await db.execute(_SESSION, {"hash": _hash(token)})).mappings().first()
    if not row:
        return None
    if row["is_stale"]:
        await db.execute(
            text("UPDATE sessions SET seen_at = now(), expires_at = now() + make_interval(days => :days) WHERE token_hash = :hash"),
            {"hash": _hash(token), "days": SESSION_DAYS},
        )
    person = Person(**{name: row[name] for name in ("platform", "workspace", "external_id", "name", "language")})
    return Session(
        account_id=row["account_id"], person_id=row["person_id"], person=person, role=role_of(row["role"], person, settings),
        csrf_token=row["csrf_token"], expires_at=row["expires_at"], language=row["account_language"] or person.language,
    )  # fmt: skip


def role_of(stored: Role, person: Person, settings: Settings) -> Role:
    """Return what a person may do now. In chat NOD_ADMINS alone makes admins: who is taken off the list is none any more."""
    if person.platform not in ("slack", "discord"):
        return stored
    if f"{person.platform}:{person.external_id}" in settings.admins:
        return "admin"
    return "member" if stored == "admin" else stored


async def sign_out(engine: AsyncEngine, token: str) -> None:
    """End a session."""
    async with engine.begin() as db:
        await db.execute(text("DELETE FROM sessions WHERE token_hash = :hash"), {"hash": _hash(token)})


async def speak(engine: AsyncEngine, account_id: int, language: Language) -> None:
    """Remember the language in which an account wants its pages."""
    async with engine.begin() as db:
        await db.execute(text("UPDATE accounts SET language = :language WHERE account_id = :id"), {"language": language, "id": account_id})


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
