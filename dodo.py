"""Dusty's tasks for plain `doit`; a specs repo's own dodo.py is this one line."""

from dusty_tasks.dodo import *  # noqa: F403
