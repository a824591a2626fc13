"""`python -m fpsim` is the command `fpsim`."""

from fpsim.cli import app

app()
