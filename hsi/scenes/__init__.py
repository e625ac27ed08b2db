"""A scene, its labels, its spectra in bounded memory."""
