"""Physics and pixels: NumPy in, NumPy out; no files, no logging."""
