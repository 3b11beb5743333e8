"""Results: what a run returns, and the forms in which it is handed on.

Reading order::

    result.py       a study's result: evidence, trials, failures, register
    shipped.py      the results that ship with the package: one file a study
    verify.py       runs stored trials again and compares bits
    table.py        CSV
    tensorboard.py  event files
    comparison.py   the results of ``convlens train``, compared with each other
"""
