"""A second look at eigen-images: similar patches of all of them at once, wherever they lie near.

A network sees each eigen-image by itself. But their edges and textures lie in the same places, and
scenes repeat themselves: fields, roofs, trees. So for each patch the most similar ones around are
sought in a first estimate, all eigen-images together; the mean and covariance of that group say
what such patches look like, and the noisy ones are brought there by the linear filter that is best
for such a mean and covariance [1]_. With a network's estimate as the first one, similar patches
need not be found in noise [2]_.

References
----------
.. [1] M. Lebrun, A. Buades and J.-M. Morel, "A Nonlocal Bayesian Image Denoising Algorithm", SIAM
   Journal on Imaging Sciences 6(3), 2013.
.. [2] C. Cruz, A. Foi, V. Katkovnik and K. Egiazarian, "Nonlocality-Reinforced Convolutional Neural
   Networks for Image Denoising", IEEE Signal Processing Letters 25(8), 2018.
"""

import numpy as np
import numpy.typing as npt
import torch

Images = npt.NDArray[np.float32]

PATCH = 3  # side of a patch, in pixels
STEP = 3  # from one patch that a group is made for to the next; of 2, no row gained 0.02 dB
RADIUS = 15  # how far similar patches are sought, in pixels
GROUP = 80  # patches in a group
# From such a distance to their mean, in units of the noise, products of patches need 64 bits.
FAR = 300.0
CELL = 8  # side of the square of patches whose groups are found at once
REACH = 2 * (RADIUS + PATCH - 1)  # how far away a pixel may lie that a result depends on


def nonlocal_bayes(
    noisy: Images,
    estimate: Images,
    origin: tuple[int, int] = (0, 0),
    shape: tuple[int, int] | None = None,
    device: torch.device | str = "cpu",
) -> Images:
    """Return eigen-images denoised by the mean and covariance of similar patches.

    Parameters
    ----------
    noisy : ndarray (h, w, k), float32
        Noise of deviation 1, independent between pixels and images.
    estimate : ndarray (h, w, k), float32
        The same with less noise.
    origin : tuple of 2 int
        Where the first pixel lies in the whole scene: groups are made for the same patches however
        the scene is cut, so pixels farther than `REACH` from a cut do not depend on it.
    shape : tuple of 2 int, optional
        Rows and columns of the whole scene; by default those of `noisy`.
    device : torch.device or str

    Returns
    -------
    ndarray (h, w, k), float32
    """
    height, width, images = noisy.shape
    if min(height, width) < PATCH:
        return estimate
    whole = shape or (height, width)
    seen = torch.from_numpy(np.ascontiguousarray(noisy, np.float32)).to(device)
    first = torch.from_numpy(np.ascontiguousarray(estimate, np.float32)).to(device)
    seen_patches, first_patches = (
        image.unfold(0, PATCH, 1).unfold(1, PATCH, 1) for image in (seen, first)
    )
    total = torch.zeros(height * width, images, device=device)
    weight = torch.zeros(height * width, device=device)
    within = torch.arange(PATCH, device=device)
    within = (within[:, None] * width + within).reshape(-1)
    for rows in _cells(origin[0], height, whole[0]):
        for columns in _cells(origin[1], width, whole[1]):
            where, found, share = _cell(seen_patches, first_patches, rows, columns)
            pixels = where[:, 0] * width + where[:, 1]
            pixels = (pixels[:, None] + within).reshape(-1)
            values = found * share[:, None]
            values = values.reshape(-1, images, PATCH**2).transpose(1, 2).reshape(-1, images)
            total.index_add_(0, pixels, values)
            weight.index_add_(0, pixels, share.repeat_interleave(PATCH**2))
    covered = weight > 0
    result = torch.where(
        covered[:, None],
        total / torch.where(covered, weight, 1)[:, None],
        first.reshape(-1, images),
    )
    return np.asarray(result.reshape(height, width, images).cpu().numpy())


def _cells(origin: int, length: int, whole: int) -> list[list[int]]:
    """Return the rows (or columns) of an array at which patches begin that groups are made for.

    In lists that belong together, alike however the scene of `whole` rows is cut.
    """
    last = whole - PATCH
    cells: dict[int, list[int]] = {}
    for start in range(length - PATCH + 1):
        place = start + origin
        if place <= last and (place % STEP == 0 or place == last):
            cells.setdefault(place // (STEP * CELL), []).append(start)
    return list(cells.values())


def _cell(
    seen: torch.Tensor, first: torch.Tensor, rows: list[int], columns: list[int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Denoise the groups of the patches that begin in some rows and columns.

    Parameters
    ----------
    seen, first : Tensor (h', w', k, PATCH, PATCH)
        Patches of the noisy images and of the estimate.
    rows, columns : list of int

    Returns
    -------
    where : Tensor (n, 2)
        Row and column at which each patch begins.
    found : Tensor (n, k · PATCH²)
        The patch without noise.
    share : Tensor (n,)
        Its weight.
    """
    device = seen.device
    top, bottom = max(0, rows[0] - RADIUS), min(seen.shape[0], rows[-1] + RADIUS + 1)
    left, right = max(0, columns[0] - RADIUS), min(seen.shape[1], columns[-1] + RADIUS + 1)
    size = seen[0, 0].numel()
    noisy = seen[top:bottom, left:right].reshape(-1, size)
    known = first[top:bottom, left:right].reshape(-1, size)
    places = torch.cartesian_prod(
        torch.arange(top, bottom, device=device), torch.arange(left, right, device=device)
    )
    centres = torch.cartesian_prod(
        torch.tensor(rows, device=device), torch.tensor(columns, device=device)
    )
    # Squared distances by one product of matrices; about their mean, or digits would be lost.
    middle = known.mean(dim=0)
    around, own = known - middle, first[centres[:, 0], centres[:, 1]].reshape(-1, size) - middle
    distance = own.square().sum(1)[:, None] + around.square().sum(1) - 2 * own @ around.T
    far = (places - centres[:, None]).abs().amax(dim=2) > RADIUS
    distance = distance.clamp(min=0).masked_fill(far, torch.inf)
    # The patch behind the last has weight 0 and those before it little: which one is the last may
    # depend on rounding, the result does not.
    count = min(GROUP + 1, int((~far).sum(1).min()))
    distance, chosen = distance.topk(count, largest=False)
    limit = distance[:, -1:]
    share = (2 * (1 - distance / limit.clamp(min=torch.finfo().tiny))).clamp(0, 1)
    share = torch.where(limit > 0, share, 1.0)
    found = _filtered(noisy[chosen], known[chosen], share)
    return places[chosen].reshape(-1, 2), found.reshape(-1, size), share.reshape(-1)


def _filtered(noisy: torch.Tensor, known: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Return groups of patches (g, n, d) with noise of deviation 1 removed.

    With C the covariance of a group and m its mean, a patch y becomes m + C (C + I)⁻¹ (y − m), or,
    what is the same, y − (C + I)⁻¹ (y − m). A group of fewer patches than dimensions has a matrix
    of their products in the place of C, which is smaller.
    """
    total = share.sum(dim=1)[:, None, None]
    mean = (share[..., None] * known).sum(dim=1, keepdim=True) / total
    apart, offset = (known - mean) * share.sqrt()[..., None], noisy - mean
    if apart.abs().max() > FAR:
        apart, offset, total = apart.double(), offset.double(), total.double()
    if apart.shape[2] <= apart.shape[1]:
        half = _inverse_root(apart.transpose(1, 2) @ apart, total)
        removed = total * (offset @ half.transpose(1, 2) @ half)
        return noisy - removed.to(noisy.dtype)
    half = _inverse_root(apart @ apart.transpose(1, 2), total) @ apart
    kept = offset @ half.transpose(1, 2) @ half
    return mean + kept.to(mean.dtype)


def _inverse_root(matrix: torch.Tensor, ridge: torch.Tensor) -> torch.Tensor:
    """Return W with WᵀW the inverse of a matrix to whose diagonal a ridge is added, in place."""
    matrix.diagonal(dim1=1, dim2=2).add_(ridge[:, 0])
    root = torch.linalg.cholesky(matrix)
    one = torch.eye(matrix.shape[1], dtype=matrix.dtype, device=matrix.device)
    inverse: torch.Tensor = torch.linalg.solve_triangular(root, one.expand_as(root), upper=False)
    return inverse
