"""Studies: from a question to trials, from trials to statistics, from statistics to a verdict.

One call runs a study and returns its answer (`convlens.report.write_study` writes its page)::

    result = convlens.studies.run_study("kernel-size", profile="quick", folder="out/studies")

Reading order::

    spec.py      what a study is: arms, profiles, metrics, the estimand declared before anything is measured
    trial.py     one run: its key, its configuration, what it measured
    executors/   what runs one trial, an executor per kind
    pool.py      what runs many trials: in this process; processes.py: in several processes; cluster.py: on other
                 machines
    store.py     where finished trials are kept, safe from crashes
    runner.py    plans the trials of a study and a profile, and runs the missing ones
    tuned.py     the learning rate that was tuned for an arm; tuning.py: finds it
    stats.py     intervals and tests over seeds
    verdict.py   from an interval, and the region in which a claim is true, to a word
    evidence.py  from stored trials to the numbers and verdicts of one study
    run.py       all of this in one call
    catalog/     the studies, one module each
    tensorboard.py  event files of finished trials
"""

from .catalog import entries as entries
from .result import StudyResult as StudyResult
from .run import read_study as read_study
from .run import run_studies as run_studies
from .run import run_study as run_study
from .tensorboard import write_events as write_events

__all__ = ["StudyResult", "entries", "read_study", "run_studies", "run_study", "write_events"]
