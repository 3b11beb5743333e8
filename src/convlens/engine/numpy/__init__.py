"""The plan in NumPy: the ops again, bound to preallocated arrays, fused, in place. Start reading at `toolbox`."""
