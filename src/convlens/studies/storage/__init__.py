"""Storage: what is kept beside a study's reports, in one SQLite file and a folder of weights.

Reading order::

    store.py       finished trials, safe from crashes; store_file.py: the file, its tables and its versions
    register.py    what was declared, and every verdict drawn
    weights.py     the weights of models that other trials build on, by the hash of their content
"""
