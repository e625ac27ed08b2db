"""The eight orientations of a square window: four quarter turns, each plain and mirrored."""

import torch
from torch import Tensor

COUNT = 8


def oriented(image: Tensor, orientation: int) -> Tensor:
    """Turn the last two dimensions by `orientation % 4` quarters, and mirror from 4 up."""
    turned = torch.rot90(image, orientation % 4, (-2, -1))
    return turned.flip(-1) if orientation >= 4 else turned


def back(image: Tensor, orientation: int) -> Tensor:
    """Undo `oriented`."""
    plain = image.flip(-1) if orientation >= 4 else image
    return torch.rot90(plain, -(orientation % 4), (-2, -1))


def corner(
    row: int, column: int, side: int, shape: tuple[int, int], orientation: int
) -> tuple[int, int]:
    """Where a square of an image lies after `oriented`.

    Parameters
    ----------
    row, column : int
        Its first row and column before.
    side : int
        Of the square.
    shape : tuple of 2 int
        Of the image before.

    Returns
    -------
    row, column : int
    """
    height, width = shape
    for _ in range(orientation % 4):
        row, column = width - column - side, row
        height, width = width, height
    return (row, width - column - side) if orientation >= 4 else (row, column)
