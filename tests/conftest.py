"""What every test shares."""

import os
from pathlib import Path

import pytest

os.environ.pop("RESTORE_DATA", None)  # whoever has image sets gets the same tests as others

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the real image sets, scenes and published weights, beside the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real data are not here ({folder}); run where they are to check them")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first, so that no worker is left with one of them at the end."""
    items.sort(key=lambda item: "tests/workflow" not in item.path.as_posix())
