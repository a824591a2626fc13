"""The committed data files: written whole or not at all, verified by hash when read."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

DATA_DIR = Path(__file__).parent / "data"
MANIFEST = "manifest.json"

_REMEDY = (
    "restore the file from the repository or reinstall fpsim; `python -m fpsim.dit.train` makes a new set"
)


class DataFileError(ValueError):
    """A data file is missing, truncated, altered, or not what its name says."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or all of the new, never a part.

    Args:
        path: target; its folder is made if missing.
        content: all of the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_set(directory: Path, contents: dict[str, bytes]) -> None:
    """Write data files and then the manifest that vouches for them.

    The manifest comes last: after an interruption the hashes do not match and reading refuses. Entries of
    other files stay, so that one manifest vouches for several sets.

    Args:
        directory: target folder.
        contents: file name to content.

    Raises:
        DataFileError: if the folder has a manifest that cannot be read; nothing is written then.
    """
    entries = _entries(directory)
    for name, content in sorted(contents.items()):
        write_whole(directory / name, content)
        entries[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps({"version": 1, "files": dict(sorted(entries.items()))}, indent=2) + "\n"
    write_whole(directory / MANIFEST, text.encode())


def _entries(directory: Path) -> dict[str, dict[str, int | str]]:
    """What the manifest of a folder vouches for; nothing where there is none."""
    path = directory / MANIFEST
    try:
        return dict(json.loads(path.read_text())["files"])
    except FileNotFoundError:
        return {}
    except (KeyError, TypeError, ValueError) as error:
        raise DataFileError(f"{path}: not a manifest; {_REMEDY}") from error


def _manifest_entry(directory: Path, name: str) -> tuple[int, str]:
    path = directory / MANIFEST
    try:
        entry = json.loads(path.read_text())["files"][name]
        return int(entry["bytes"]), str(entry["sha256"])
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: missing; {_REMEDY}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataFileError(f"{path}: no valid entry for {name}; {_REMEDY}") from error


def read_verified(name: str, directory: Path = DATA_DIR) -> bytes:
    """Read a data file and check its length and SHA-256 against the manifest beside it.

    Args:
        name: file name, as in the manifest.
        directory: folder of the file and its manifest.

    Raises:
        DataFileError: if the file or the manifest is missing, truncated or altered; says what to do.
    """
    path = directory / name
    size, digest = _manifest_entry(directory, name)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: missing; {_REMEDY}") from error
    if len(content) != size:
        raise DataFileError(f"{path}: {len(content)} bytes, expected {size}; {_REMEDY}")
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise DataFileError(f"{path}: altered, sha256 {found}, expected {digest}; {_REMEDY}")
    return content
