"""What a characterization has finished before it was interrupted, beside the file it is for."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MEASURING = Path(__file__).parent  # whoever changes how it is measured starts anew


@dataclass(frozen=True)
class Unfinished:
    """A folder of finished units and netlists; its name holds what they are made of."""

    folder: Path

    @classmethod
    def beside(cls, out: Path, header: dict[str, Any], operands: Path | None) -> Unfinished:
        """The folder of a target, made if there is none; what others made for it is removed.

        Args:
            out: the file that the units are for.
            header: what describes library, tools, RTL and configuration; its date does not count.
            operands: a file of further stimuli.
        """
        digest = hashlib.sha256()
        digest.update(json.dumps({**header, "date": ""}, sort_keys=True).encode())
        for path in (*sorted(_MEASURING.glob("*.py")), *([operands] if operands else [])):
            digest.update(path.read_bytes())
        folder = out.parent / f".{out.name}.{digest.hexdigest()[:16]}.unfinished"
        for other in out.parent.glob(f".{out.name}.*.unfinished"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder)

    def entry(self, unit: str) -> dict[str, Any]:
        """A unit's finished entry; empty where there is none."""
        path = self._path(unit)
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}

    def keep(self, unit: str, entry: dict[str, Any]) -> None:
        """Keep a finished entry."""
        write_whole(self._path(unit), json.dumps(entry))

    def remove(self) -> None:
        """All is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, unit: str) -> Path:
        return self.folder / f"{unit}.unit.json"


def write_whole(path: Path, text: str) -> None:
    """Write beside the target and rename, so that a reader sees the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
