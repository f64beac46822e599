"""`python -m dusty_tasks`: what the launcher `dusty` runs."""

from dusty_tasks.cli.main import console

console()
