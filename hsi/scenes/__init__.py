"""A scene, its labels, and its spectra, read in bounded memory."""
