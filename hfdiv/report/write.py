"""A comparison as files: JSON for programs, one HTML page for people, and the figures."""

from __future__ import annotations

import json
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
    output_dir = Path(output_dir)
    try:
        (output_dir / "figures").mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADirectoryError(
            f"Cannot write a report to {str(output_dir)!r}: {error.filename!r} is a file. Give a folder."
        ) from error
    figures = {name: png(figure) for name, figure in draw(comparison).items()}
    page = render(comparison, figures)
    paths = {"json": output_dir / "report.json", "html": output_dir / "report.html"}
    text = json.dumps(comparison.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)
    # Half a surrogate pair (in the name of a column) cannot be written as UTF-8: JSON escapes it, HTML drops it.
    paths["json"].write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    paths["html"].write_text(page, encoding="utf-8", errors="replace")
    for name, image in figures.items():
        paths[name] = output_dir / "figures" / f"{name}.png"
        paths[name].write_bytes(image)
    return paths
