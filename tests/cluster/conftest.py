"""The tiny project of the workflow's tests."""

from tests.workflow.conftest import installed, project

__all__ = ["installed", "project"]
