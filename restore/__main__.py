"""`python -m restore` is the `restore` command."""

from restore.cli import run

run()
