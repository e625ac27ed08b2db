"""Settings of Sphinx for the pages that `docs/site/build.py` puts together."""

from importlib.metadata import version as version_of

project = "restore-hsi"
author = "the restore-hsi authors"
release = version = version_of("restore-hsi")

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = "restore-hsi"
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
toc_object_entries = False  # each name has a heading
pygments_style = "friendly"
pygments_dark_style = "monokai"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

autodoc_typehints = "none"  # the docstrings have them, with shapes and ranges
autodoc_member_order = "bysource"
default_role = "code"
autosummary_generate = False  # numpydoc brings it
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

linkcheck_timeout = 20
linkcheck_ignore = [r"https://doi\.org/.*"]  # publishers refuse robots
