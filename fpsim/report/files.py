"""The report's files: a set written whole or not at all."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from fpsim.report.data import DemoReport


class ReportFolderError(OSError):
    """The folder for the report cannot be written."""


def check_folder(folder: Path) -> None:
    """Make the folder if it is missing and see that files can be made in it.

    Raises:
        ReportFolderError: it cannot be made or written; nothing was left behind.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportFolderError(
            f"folder {str(folder)!r}: cannot be written ({reason}); choose another or change its permissions"
        ) from error


def write_set(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files so that all of them are new or all are as before.

    Args:
        folder: made if missing.
        contents: file name to content.

    Raises:
        ReportFolderError: the folder cannot be written, or a folder has a file's name.
    """
    check_folder(folder)
    for name in contents:
        if (folder / name).is_dir():
            raise ReportFolderError(f"file {str(folder / name)!r}: a folder has this name; remove it")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".report-") as temporary:
        stage = Path(temporary)
        for name, content in contents.items():
            (stage / name).write_bytes(content)
        _move(stage, folder, list(contents))


def _move(stage: Path, folder: Path, names: list[str]) -> None:
    try:
        for name in names:
            if (folder / name).exists():
                (folder / name).replace(stage / f"{name}.before")
            (stage / name).replace(folder / name)
    except BaseException:
        for name in names:
            before = stage / f"{name}.before"
            if before.exists():
                before.replace(folder / name)
            elif not (stage / name).exists():
                (folder / name).unlink(missing_ok=True)
        raise


def strict(value: Any) -> Any:
    """Plain data that strict JSON can hold: infinities and NaN as the strings "inf", "-inf" and "nan"."""
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else str(number)
    raise TypeError(f"value={value!r}: expected plain data")


def results_json(report: DemoReport) -> str:
    """Everything that the report shows, as strict JSON (RFC 8259).

    Infinities and NaN are the strings "inf", "-inf" and "nan"; timesteps, being keys, are strings.
    """
    return json.dumps(strict(report.to_dict()), indent=1, allow_nan=False) + "\n"
