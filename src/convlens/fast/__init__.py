"""The mathematics of `convlens.ops` once more, compiled with Numba: float32, fused, never needed for correctness.

Everything here is a function on preallocated arrays that holds no lock while it runs, so threads work side by side.
Reading order: `vector` (sixteen numbers at once; `writer` is underneath) -> `product` (the one sum of products that
convolutions are made of, forward and backward) -> `conv` -> the rest -> `script` (many calls as one).

`native` says what becomes of Python's functions. They are compiled by `compiler`, once; after that `kept` finds object
files on disk and `linker` puts them into memory, without Numba.
"""
