"""Pages to look at: one HTML file each, which opens offline and needs no other file.

Templates lie in `templates/`, styles and scripts in `static/`, libraries of others with their
licences in `static/vendor/`. On the command line: ``python -m engine.page RESULTS OUT.html``.
"""
