"""An analysis as files: JSON for programs, one HTML page for people, and the figures."""

from __future__ import annotations

import json
from pathlib import Path

from hfdiv.ab.analysis import Analysis
from hfdiv.ab.page import render
from hfdiv.ab.plots import draw
from hfdiv.data import write_whole
from hfdiv.report.plots import png
from hfdiv.report.write import report_folder, write_figures


def write_analysis(analysis: Analysis, output_dir: str | Path) -> dict[str, Path]:
    """Write `ab.json`, `report.html` and `figures/*.png`; files of an earlier analysis are replaced.

    Args:
        analysis: What to write.
        output_dir: Folder, made if it is not there.

    Returns:
        Paths of the files: `"json"`, `"html"` and each figure by its name.

    Raises:
        NotADirectoryError: If `output_dir` or a folder above it is a file.
        OSError: If a file cannot be written.
        ImportError: If matplotlib or jinja2 is not installed.
    """
    output_dir = report_folder(output_dir)
    figures = {name: png(figure) for name, figure in draw(analysis).items()}
    paths = {"json": output_dir / "ab.json", "html": output_dir / "report.html"}
    text = json.dumps(analysis.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)
    write_whole(paths["html"], [render(analysis, figures)])
    write_whole(paths["json"], [text, "\n"])
    return paths | write_figures(figures, output_dir)
