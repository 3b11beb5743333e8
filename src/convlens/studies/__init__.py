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
    stats.py     estimates and intervals over seeds; two_way.py: over seeds and images, for images in general;
                 cross_validation.py, welch.py, superiority.py (P(A > B)), mcnemar.py
    looks.py     at how many seeds a verdict may be drawn, and at which level
    finding.py   better, equivalent or worse against a margin; Holm's method
    power.py     the seeds that a new run would need
    verdict.py   from an interval, and the region in which a claim is true (region.py), to a word
    judgement.py from what was measured for each estimand to its finding and verdict
    evidence.py  from stored trials to the numbers and verdicts of one study; by_image.py: from their predictions
    run.py       all of this in one call
    notebook_line.py  what a notebook shows while trials run
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
