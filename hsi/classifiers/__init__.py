"""The classifiers behind one interface, and how they are trained."""
