"""Studies: a question is put to trials, the trials to statistics, the statistics to a verdict.

Reading order::

    spec.py      what a study is: arms, profiles, the estimand declared before anything is measured
    trial.py     one training run: its key, its configuration, what it measured
    store.py     where finished trials are kept, whatever happens to the process
    runner.py    a study and a profile become planned trials; the missing ones are run
    stats.py     intervals and tests over seeds
    verdict.py   an interval and the region of values in which a claim is true become a word
    evidence.py  stored trials become the numbers and verdicts of one study
"""
