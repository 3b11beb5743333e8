"""The same work by convlens and by its peers, side by side: speed, peak memory, and time to an accuracy.

Reading order::

    cells.py                     what is timed: network, kernel, batch, threads, and which peers take part
    peers/                       one file a peer: the same network and the same work, by different means
    peer_process.py              what runs in a peer's process
    peak_memory.py               the peak memory of that process, on each system
    coordinator.py               the same process from outside: requests, answers, time limits
    environment.py               the Python that peers run in: an environment of its own
    measure.py                   rounds: each peer in turn
    time_to_accuracy.py          time to an accuracy, by convlens and by PyTorch with one recipe
    time_to_accuracy_process.py  what runs in the process of one such training
    results.py                   ratios, and the result as plain data
    run.py                       the whole benchmark, kept in a file cell by cell
    tables.py                    the result as tables: on a terminal and in Markdown
    documents.py                 the tables in README and docs, renewed from a result

A ratio is the median over rounds of the ratios within a round: clocks of shared machines drift, and the two timings of
a pair drift together.
"""

from __future__ import annotations
