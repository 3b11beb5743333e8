"""Pools: what runs many trials.

Reading order::

    pool.py       the interface, and the pool of this process
    processes.py  several processes at once
    cluster.py    a Dask cluster; cluster_worker.py: what runs on its workers
"""
