"""The same work by convlens and by its peers, compared: speed, peak memory, and time to an accuracy.

Reading order::

    cells.py                     what is timed: network, kernel, batch, threads, and which peers take part
    peers/                       one module per peer: the same network and work, by different means; some only predict
    peer_process.py              what runs in a peer's process
    peak_memory.py               the peak memory of that process, on each system
    coordinator.py               starts those processes: requests, answers, time limits
    environment.py               the separate Python environment of the peers
    measure.py                   rounds, in which the peers are timed in turn
    time_to_accuracy.py          time to an accuracy, by convlens and by PyTorch with the same recipe
    time_to_accuracy_process.py  what runs in the process of one such training
    load.py                      how much of the machine other processes take
    results.py                   ratios, and the result as plain data
    run.py                       the whole benchmark, saved cell by cell
    tables.py                    the result as tables: on a terminal and in Markdown
    documents.py                 updates the tables in README and docs from a result

A ratio is the median over rounds of the ratios within a round: the speed of shared machines drifts, and the
two timings of a pair drift together.
"""

from __future__ import annotations
