"""GeoTIFF, and what GDAL and EnMAP write beside it."""
