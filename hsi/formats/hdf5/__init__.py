"""HDF5 and NetCDF, and the products that are delivered in them."""
