"""The eight orientations of a square window: four quarter turns, each plain and mirrored."""

import torch
from torch import Tensor

COUNT = 8


def oriented(image: Tensor, orientation: int) -> Tensor:
    """Return the image turned by `orientation % 4` quarters, and mirrored if it is 4 or more."""
    turned = torch.rot90(image, orientation % 4, (-2, -1))
    return turned.flip(-1) if orientation >= 4 else turned


def back(image: Tensor, orientation: int) -> Tensor:
    """Return the image as it was before `oriented`."""
    plain = image.flip(-1) if orientation >= 4 else image
    return torch.rot90(plain, -(orientation % 4), (-2, -1))


def corner(
    row: int, column: int, side: int, shape: tuple[int, int], orientation: int
) -> tuple[int, int]:
    """Return the first row and column of a square of an image after `oriented`.

    Parameters
    ----------
    row, column : int
        First row and column of the square before.
    side : int
        Side of the square.
    shape : tuple of 2 int
        Rows and columns of the image before.

    Returns
    -------
    row, column : int
    """
    height, width = shape
    for _ in range(orientation % 4):
        row, column = width - column - side, row
        height, width = width, height
    return (row, width - column - side) if orientation >= 4 else (row, column)
