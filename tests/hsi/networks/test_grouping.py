"""Groups of windows: every window once, near ones together, never dearer than the plain ways."""

import numpy as np
import pytest

from hsi.networks.grouping import Group, grouped

WINDOW = 9


def cost(height: int, width: int) -> int:
    """Two unpadded 3 × 3 layers, the second one dearer."""
    return (height - 2) * (width - 2) + 4 * (height - 4) * (width - 4)


def total(groups: list[Group], rows: np.ndarray, columns: np.ndarray) -> int:
    found = 0
    for group in groups:
        sides = (np.ptp(at[group.members]) + WINDOW for at in (rows, columns))
        found += cost(*sides) if group.shared else len(group.members) * cost(WINDOW, WINDOW)
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("side", [1, 10, 60, 400, 5000])
def test_never_dearer_than_one_pass_for_all_or_for_each(side: int, seed: int) -> None:
    rows, columns = np.random.default_rng(seed).integers(side, size=(2, 60))
    groups = grouped(rows, columns, WINDOW, cost)
    assert sorted(np.concatenate([g.members for g in groups]).tolist()) == list(range(60))
    whole = cost(int(np.ptp(rows)) + WINDOW, int(np.ptp(columns)) + WINDOW)
    assert total(groups, rows, columns) <= min(whole, 60 * cost(WINDOW, WINDOW))


def test_two_fields_far_apart_are_two_tiles() -> None:
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(8, size=(2, 40))
    rows[20:] += 900
    groups = grouped(rows, columns, WINDOW, cost)
    assert [group.shared for group in groups] == [True, True]
    assert sorted(sorted(g.members.tolist()) for g in groups) == [
        list(range(20)),
        list(range(20, 40)),
    ]


def test_scattered_windows_share_nothing_and_are_one_group() -> None:
    places = np.arange(0, 20_000, 1000)
    groups = grouped(places, places, WINDOW, cost)
    assert len(groups) == 1
    assert not groups[0].shared


def test_no_tile_is_larger_than_allowed() -> None:
    rows, columns = (axis.ravel() for axis in np.mgrid[:40, :40])
    assert len(grouped(rows, columns, WINDOW, cost)) == 1
    groups = grouped(rows, columns, WINDOW, cost, largest=30 * 30)
    assert len(groups) > 1
    for group in groups:
        sides = [np.ptp(at[group.members]) + WINDOW for at in (rows, columns)]
        assert group.shared
        assert sides[0] * sides[1] <= 30 * 30
