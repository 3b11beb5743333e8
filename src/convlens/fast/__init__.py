"""The mathematics of `convlens.ops` again, compiled with Numba: float32, fused, never needed for correctness.

Everything here is a function on preallocated arrays that runs without the GIL, so threads run in parallel.
Reading order: `vector` (sixteen numbers at once, built on `writer`) -> `product` (the one sum of products that
convolutions are made of, forward and backward) -> `conv` -> the rest -> `script` (many calls as one).

`native` says how Python functions become compiled ones. `compiler` compiles them once; after that `kept` finds the
object files on disk and `linker` loads them into memory, without Numba.
"""
