"""Reports: pages, tables and files with the results of studies.

Reading order::

    words.py         verdicts and the answer in sentences, built from the data
    claim_words.py   what was measured for a claim, and what is stored beside it
    tables.py        the claims on a terminal
    sections.py      the report's tables as plain rows
    short_tables.py  what a terminal shows of a study
    declared.py      what was predicted, and what became of it: register, verdict, cost, design
    protocol.py      how it was measured, and on what
    results.py       everything as JSON
    current.py       whether the pages in a folder are up to date
    rendering.py     templates to bytes
    pages.py         writes rows and figures to files: report.html, report.md, results.json, figures/
    index.py         all studies of a folder
    evaluation.py    the figures of one evaluation
    look.py          one image in one network
"""

from ..claims.reproduction import Reproduction as Reproduction
from .index import listed as listed
from .index import place as place
from .index import write_in_folder as write_in_folder
from .index import write_index as write_index
from .look import write_look as write_look
from .pages import write_report as write_report
from .pages import write_study as write_study
from .tables import claims_lines as claims_lines
from .tables import claims_table as claims_table
from .words import summary as summary

__all__ = [
    "Reproduction",
    "claims_lines",
    "claims_table",
    "listed",
    "place",
    "summary",
    "write_in_folder",
    "write_index",
    "write_look",
    "write_report",
    "write_study",
]
