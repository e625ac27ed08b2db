"""Features of spectra: principal components, means over boxes, scaling."""
