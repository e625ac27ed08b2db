"""Images: degrade them, train DnCNN on them, measure it, and denoise whole folders."""
