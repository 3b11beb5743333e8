"""The plan in compiled code: kernels whose steps are calls of `convlens.fast`. Start reading at `toolbox`."""
