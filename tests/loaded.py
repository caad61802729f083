"""All code of nod's commands, loaded: what `tests.warm` forks its processes from."""

import asyncio
import gc
import importlib
import pkgutil

import bot
import feedback
import knowledge
import nod
import workers
from nod.settings import Settings
from workers.app import load

for _room in (bot, feedback, knowledge, nod, workers):
    for _found in pkgutil.walk_packages(_room.__path__, f"{_room.__name__}."):
        if ".migrations" not in _found.name:  # Alembic's
            importlib.import_module(_found.name)
asyncio.run(load(Settings.model_validate({"OPENAI_API_KEY": "none", "NOD_SECRET_KEY": "0" * 64})))
gc.collect()
gc.freeze()
