"""What changed between two sets of replies, and is it real?"""

from hfdiv.report.compare import compare
from hfdiv.report.comparison import Comparison
from hfdiv.report.write import write_report


__all__ = ["Comparison", "compare", "write_report"]
