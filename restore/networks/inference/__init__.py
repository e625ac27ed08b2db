"""Running DnCNN on a CPU as fast as it goes, and exactly: bands, strips, kernels."""
