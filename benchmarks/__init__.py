"""swath against a bare rasterio loop and GDAL, in interleaved runs: ``python -m benchmarks`` (``make bench``)."""
