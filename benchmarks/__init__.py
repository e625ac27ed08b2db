"""Speed, each figure as a ratio of two ways measured in turn in one run."""
