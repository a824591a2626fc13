"""Several libraries into one folder, and what is refused before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fpsim.array.config import ArrayConfig
from fpsim.estimate import refresh as module
from fpsim.estimate.constants import Constants, LibraryFacts
from fpsim.estimate.refresh import CONFIGS, characterize_libraries

TINY = Path(__file__).with_name("tiny.lib")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ArrayConfig, Path]]:
    """What would be characterized."""
    found: list[tuple[str, ArrayConfig, Path]] = []

    def characterize(
        liberty: Path, config: ArrayConfig, out: Path, show: object, *, operands: Path | None
    ) -> dict[str, Any]:
        found.append((liberty.name, config, out))
        return {"out": out.name}

    facts = {name: LibraryFacts(name, f"^{name}$", 100.0, "", (), "") for name in ("tiny", "other")}
    monkeypatch.setattr(module, "characterize", characterize)
    monkeypatch.setattr(module, "load_constants", lambda: Constants({}, (), facts))
    return found


def other(folder: Path) -> Path:
    path = folder / "other.lib"
    path.write_text(TINY.read_text("utf-8").replace("library (tiny)", "library (other)"), encoding="utf-8")
    return path


def test_every_library_gets_both_configurations(tmp_path: Path, calls: list[Any]) -> None:
    out = tmp_path / "units"
    records = characterize_libraries([TINY, other(tmp_path)], out)
    names = ["units_tiny.json", "units_tiny_e2m1.json", "units_other.json", "units_other_e2m1.json"]
    assert [record["out"] for record in records] == names
    assert [path for _, _, path in calls] == [out / name for name in names]
    assert [config for _, config, _ in calls] == list(CONFIGS.values()) * 2


def test_a_json_file_takes_one_library_in_the_default_configuration(tmp_path: Path, calls: list[Any]) -> None:
    out = tmp_path / "mine.json"
    characterize_libraries([TINY], out)
    assert calls == [("tiny.lib", ArrayConfig(), out)]


def test_what_cannot_be_done_is_refused_before_any_work(tmp_path: Path, calls: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"out='x\.json': one file for 2 libraries; expected .* folder"):
        characterize_libraries([TINY, other(tmp_path)], Path("x.json"))
    with pytest.raises(ValueError, match="the library tiny is given twice"):
        characterize_libraries([TINY, TINY], tmp_path)
    with pytest.raises(ValueError, match="liberty: none given"):
        characterize_libraries([], tmp_path)
    with pytest.raises(ValueError, match=r"nothing\.lib: cannot read"):
        characterize_libraries([TINY, tmp_path / "nothing.lib"], tmp_path)
    with pytest.raises(ValueError, match=r"other\.lib'?: a file that is no \.json"):
        characterize_libraries([TINY], other(tmp_path))
    empty = tmp_path / "empty.npz"
    np.savez(empty, x=np.zeros((4, 128)))
    with pytest.raises(ValueError, match=r"empty\.npz"):
        characterize_libraries([TINY], tmp_path, operands=empty)
    assert not calls
