"""The same work by convlens and by its peers, side by side: how fast, in how much memory, how soon accurate.

Reading order::

    cells.py         what is timed: network, kernel, batch, threads, and which peers take part
    peers/           one file a peer: the same network and the same work, by different means
    worker.py        a peer in a process of its own (what runs there)
    workers.py       the same process from outside: asked, waited for, never longer than it lives
    environment.py   the Python that peers run in: an environment of its own
    measure.py       rounds: everybody in turn, and what came of it
    race.py          time to an accuracy, by convlens and by PyTorch with one recipe
    results.py       ratios, and the result as plain data
    tables.py        the result as tables: on a terminal and in Markdown
    documents.py     the tables in README and docs, renewed from a result

A ratio is the median over rounds of the ratios within a round: clocks of shared machines drift, and pairs drift
together.
"""

from __future__ import annotations
