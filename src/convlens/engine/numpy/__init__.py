"""The plan in NumPy: the ops once more, bound to preallocated arrays, fused, in place. Start at `toolbox`."""
