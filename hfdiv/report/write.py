"""A comparison as files: JSON for programs, one HTML page for people, and the figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hfdiv.report.comparison import Comparison
from hfdiv.report.page import render
from hfdiv.report.plots import draw, png


def write_report(comparison: Comparison, output_dir: str | Path) -> dict[str, Path]:
    """Write `report.json`, `report.html` and `figures/*.png`; files of an earlier report are replaced.

    Args:
        comparison: What to write.
        output_dir: Folder, made if it is not there.

    Returns:
        Paths of the files: `"json"`, `"html"` and each figure by its name.

    Raises:
        NotADirectoryError: If `output_dir` or a folder above it is a file.
        OSError: If a file cannot be written.
        ImportError: If matplotlib or jinja2 is not installed.
    """
    output_dir = report_folder(output_dir)
    figures = {name: png(figure) for name, figure in draw(comparison).items()}
    page = render(comparison, figures)
    paths = {"json": output_dir / "report.json", "html": output_dir / "report.html"}
    text = json.dumps(comparison.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)
    # Half a surrogate pair (in the name of a column) cannot be written as UTF-8: JSON escapes it, HTML drops it.
    paths["json"].write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    paths["html"].write_text(page, encoding="utf-8", errors="replace")
    return paths | write_figures(figures, output_dir)


def report_folder(output_dir: str | Path) -> Path:
    """Make the folder of a report, with one for its figures, and return it.

    Raises:
        NotADirectoryError: If `output_dir` or a folder above it is a file.
    """
    folder = Path(output_dir)
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADirectoryError(
            f"Cannot write a report to {str(folder)!r}: {error.filename!r} is a file. Give a folder."
        ) from error
    return folder


def write_figures(figures: Mapping[str, bytes], folder: Path) -> dict[str, Path]:
    """Write PNG images, by name, to a report's folder, and return their paths."""
    paths = {name: folder / "figures" / f"{name}.png" for name in figures}
    for name, image in figures.items():
        paths[name].write_bytes(image)
    return paths
