"""Archives: recognised by their bytes, listed and read within limits, reached by GDAL."""
