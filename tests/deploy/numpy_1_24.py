"""Write the names that NumPy 1.24 has, to compare with those that the inference module uses.

Run with NumPy 1.24.4, in Python 3.8: ``python numpy_1_24.py > numpy_1_24.txt``.
"""

import numpy as np

PARTS = {"np": np, "np.lib.stride_tricks": np.lib.stride_tricks, "ndarray": np.ndarray}

if __name__ == "__main__":
    assert np.__version__ == "1.24.4", np.__version__
    for name, part in PARTS.items():
        print(name, *sorted(one for one in dir(part) if not one.startswith("_")))
