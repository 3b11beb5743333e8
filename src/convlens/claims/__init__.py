"""The claims of the project that this one succeeds, put to the test with the studies.

Reading order::

    row.py           a sub-claim, what was measured for it, and its verdict; a verdict on all parts of a claim
    arithmetic.py    the sub-claims that arithmetic decides
    questions.py     the others: the estimand of the catalogue that decides each
    rows.py          from the evidence of studies to all rows
    reproduction.py  runs the studies, in one call
"""

from .reproduction import Reproduction as Reproduction
from .reproduction import reproduce as reproduce
