"""A make-believe machine for `./run`, with stand-ins for Python, apt-get and the compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.repo.tree import ROOT

# What the script may use of the real machine; nothing else is on its PATH.
REAL = "basename bash cat cp dirname env flock mkdir mv readlink rm sed sha256sum sleep tail true"

# Python: answers the script's questions, makes environments that hold itself, notes what pip is asked for.
FAKE_PYTHON = r"""#!/usr/bin/env bash
case "$*" in
    *"version_info < (3, 11)"*) [ -z "$FAKE_OLD" ] && echo "$FAKE_BIN/python3" ;;
    *"version_info[:2]"*) echo 3.11 ;;
    *"import ensurepip"*) [ -z "$FAKE_NO_VENV" ] ;;
    *"import ctypes"*) [ -z "$FAKE_NO_LIBPYTHON" ] ;;
    -V) echo "Python 3.11.2" ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$FAKE_BIN/fpsim" "$3/bin/fpsim" ;;
    "-m pip --version") echo pip ;;
    "-m pip install "*) echo "pip ${*:3}" >>"$FAKE_NOTES"
        sleep "${FAKE_PIP_SECONDS:-0}"
        echo "pip's last words"
        exit "${FAKE_PIP_STATUS:-0}" ;;
    *) echo "python $*" >>"$FAKE_NOTES" ;;
esac
"""
NOTE = '#!/usr/bin/env bash\necho "$(basename "$0") $*" >>"$FAKE_NOTES"\n'


class Machine:
    """A folder with a copy of the script, and a PATH with nothing but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.notes, self.home = folder / "bin", folder / "notes", folder / "fpsim"
        self.bin.mkdir()
        self.home.mkdir()
        for name in ("run", "pyproject.toml", "constraints.txt", "Makefile"):
            shutil.copy(ROOT / name, self.home)
        for name in REAL.split():
            (self.bin / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is needed"))
        self.put("python3", FAKE_PYTHON)
        self.put("fpsim", NOTE)
        self.put("make", NOTE)
        self.put("iverilog", NOTE)
        self.put("g++", "#!/usr/bin/env bash\ncat >/dev/null\n")
        self.put("apt-get", NOTE)
        self.be_root(False)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of everything that runs here."""
        return {
            "PATH": str(self.bin),
            "FAKE_BIN": str(self.bin),
            "FAKE_NOTES": str(self.notes),
            "LC_ALL": "C",
        }

    def put(self, name: str, text: str) -> None:
        """Install a program."""
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def be_root(self, root: bool) -> None:
        """Set who `id` says the user is."""
        self.put("id", f"#!/usr/bin/env bash\necho {0 if root else 1000}\n")

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """Start the script from another folder than its own."""
        return subprocess.Popen(
            [str(self.home / "run"), *arguments],
            cwd="/",
            env={**self.environment, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **settings: str) -> tuple[int, str]:
        """Run the script to its end; return its exit status and all it printed."""
        process = self.start(*arguments, **settings)
        printed, _ = process.communicate(timeout=60)
        return process.returncode, printed

    def noted(self) -> list[str]:
        """Return the calls of pip, apt-get, fpsim and so on, oldest first, and forget them."""
        calls = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return calls

    @property
    def stamp(self) -> Path:
        """What a finished set-up leaves."""
        return self.home / ".venv" / "setup.stamp"
