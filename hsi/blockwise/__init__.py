"""A scene worked on block by block: what is finished, where it is written, how it resumes."""
