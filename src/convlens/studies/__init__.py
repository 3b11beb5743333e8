"""Studies: a question is put to trials, the trials to statistics, the statistics to a verdict.

One call runs a study and returns its answer (`convlens.report.write_study` writes its page)::

    result = convlens.studies.run_study("kernel-size", profile="quick", folder="out/studies")

Reading order::

    spec.py      what a study is: arms, profiles, metrics, the estimand declared before anything is measured
    trial.py     one run: its key, its configuration, what it measured
    executors/   what runs a trial, one for each kind
    pool.py      what runs many: this process; processes.py: several side by side
    store.py     where finished trials are kept, whatever happens to the process
    runner.py    a study and a profile become planned trials; the missing ones are run
    stats.py     intervals and tests over seeds
    verdict.py   an interval and the region of values in which a claim is true become a word
    evidence.py  stored trials become the numbers and verdicts of one study
    run.py       all of this in one call
    catalog/     the studies, one file each
"""

from .catalog import entries as entries
from .result import StudyResult as StudyResult
from .run import read_study as read_study
from .run import run_studies as run_studies
from .run import run_study as run_study

__all__ = ["StudyResult", "entries", "read_study", "run_studies", "run_study"]
