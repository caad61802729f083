"""`nod link`: a sign-in address for the web page, made by whoever owns the terminal."""

import json
from typing import TYPE_CHECKING

import click

from nod.accounts import LINK_MINUTES, ROLES, Role, find_person, give_role, make_link
from nod.database import with_engine
from nod.errors import ConfigError
from nod.folder import DataFolder
from nod.record import Record
from nod.saying import say
from nod.secret import secret_key
from nod.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


@click.command()
@click.option("--role", type=click.Choice(ROLES), default="admin", show_default=True, help="What they may do.")
@click.option("--for", "name", default="", metavar="NAME", help="Whose link it is: a name, or slack:U123, discord:456. None: yours.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def link(role: Role, name: str, as_json: bool) -> None:
    """Make a link that signs somebody in to the web page, once, within 15 minutes."""
    url = with_engine(lambda engine, settings: _link(engine, _where_the_page_is(settings), role, name))
    if as_json:
        click.echo(json.dumps({"url": url, "role": role, "for": name, "minutes": LINK_MINUTES}, ensure_ascii=False))
        return
    click.echo(say("link.sign_in", url=url, minutes=LINK_MINUTES))


def _where_the_page_is(settings: Settings) -> Settings:
    """Return the settings with the address under which the `nod up` of this data folder really serves the page."""
    told = DataFolder(settings.data_dir).left()
    return settings.model_copy(update={"web_url": told.web}) if told and told.web and not settings.web_url else settings


async def _link(engine: "AsyncEngine", settings: Settings, role: Role, name: str) -> str:
    record = Record(engine, secret_key(settings))
    if not name.startswith(("slack:", "discord:")):
        return await make_link(engine, record, settings, role=role, name=name)
    if role == "admin" and name not in settings.admins:
        raise ConfigError(say("error.link_admin", admins=",".join([*settings.admins, name])))
    person_id, person = await find_person(engine, name)
    if role != "admin":
        await give_role(engine, person_id, role)
    return await make_link(engine, record, settings, person=person)
