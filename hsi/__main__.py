"""`python -m hsi` is the same as `hsi`."""

from hsi.cli import run

run()
