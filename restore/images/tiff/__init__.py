"""TIFF files: pages, planes, tags and directories, read and written."""
