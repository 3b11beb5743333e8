"""Studies: from a question to trials, from trials to statistics, from statistics to a verdict.

One call runs a study and returns its answer (`convlens.report.write_study` writes its page)::

    result = convlens.studies.run_study("kernel-size", profile="quick", folder="out/studies")

Reading order::

    spec.py      what a study is: arms, profiles, metrics, the estimand declared before anything is measured
    trial.py     one run: its key, its configuration, what it measured
    executors/   what runs one trial, an executor per kind; measures/: what is measured on a trained network
    pools/       what runs many trials: in this process, in several processes, on other machines
    storage/     where finished trials are kept, safe from crashes; the register of what was declared
    runner.py    plans the trials of a study and a profile, and runs the missing ones
    tuned.py     the learning rate that was tuned for an arm; tuning.py: finds it
    statistics/  intervals, findings, verdicts
    assessment/  from stored trials to the numbers and verdicts of one study
    run.py       all of this in one call; notebook_line.py: what a notebook shows meanwhile
    find.py      what has been run, or else what ships
    results/     what that returns, what ships with the package, and the forms in which it is handed on
    catalog/     the studies, one module each
"""

from .catalog import entries as entries
from .find import export_shipped as export_shipped
from .find import find_result as find_result
from .results.result import StudyResult as StudyResult
from .results.tensorboard import write_events as write_events
from .run import read_study as read_study
from .run import run_studies as run_studies
from .run import run_study as run_study

__all__ = [
    "StudyResult",
    "entries",
    "export_shipped",
    "find_result",
    "read_study",
    "run_studies",
    "run_study",
    "write_events",
]
