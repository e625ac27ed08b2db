"""DnCNN, its weights, and running it exactly."""
