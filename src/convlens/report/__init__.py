"""Figures, tables and pages: the only home of Matplotlib.

Reading order::

    reproduction.py  what the command line hands over, and which trials belong to which arm
    numbers.py       how a number is written: per cent, points, intervals, p-values
    words.py         verdicts and the answer in sentences, built from the data
    tables.py        the claims on a terminal
    sections.py      the report's tables and paragraphs as plain rows
    figures/         one file a figure
    results.py       everything as JSON
    pages.py         rows and figures become files: report.html, report.md, results.json, figures/
"""

from ..claims.reproduction import Reproduction as Reproduction
from .pages import write_report as write_report
from .tables import claims_lines as claims_lines
from .tables import claims_table as claims_table

__all__ = ["Reproduction", "claims_lines", "claims_table", "write_report"]
