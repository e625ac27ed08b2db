"""From spectra to what classifiers are given."""
