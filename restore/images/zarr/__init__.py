"""Zarr stores: which of their arrays are images, and their planes read and written."""
