"""Two encoders into one space, and one linear classifier of both.

L. Zhen et al., "Deep Supervised Cross-Modal Retrieval", CVPR 2019: each view has a dense layer with
ReLU of its own; the layer into the shared space, and the classifier, have one set of weights.

Anchored encoders are ours. Both views are components of spectra, so the spectrum and the mean over
the patch lie in one space already. They start from there, and those layers learn what to add. Where
the test pixels lie in other fields than those learned from, this holds better.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

HIDDEN, SPACE = 256, 128
PUBLISHED, ANCHORED = "published", "anchored"
KINDS = (PUBLISHED, ANCHORED)


class Encoders(nn.Module):
    """Both encoders and the classifier.

    Parameters
    ----------
    spectrum, patch : int
        Numbers in the two views: K, and K for each pixel of the patch.
    classes : int
    generator : Generator
        Draws the initial weights, as PyTorch draws those of a dense layer.
    anchored : bool
        Add the learned vector to the spectrum, or to the mean over the patch, in the first K
        dimensions of the shared space; at first it is zero.
    hidden, space : int
        Widths of the views' own layers and of the shared space, which has K dimensions at least
        where the encoders are anchored.
    """

    def __init__(
        self,
        spectrum: int,
        patch: int,
        classes: int,
        generator: torch.Generator,
        *,
        anchored: bool = False,
        hidden: int = HIDDEN,
        space: int = SPACE,
    ) -> None:
        super().__init__()
        self.anchored, self.components = anchored, spectrum
        space = max(space, spectrum) if anchored else space
        self.spectrum = nn.Sequential(nn.Linear(spectrum, hidden), nn.ReLU())
        self.patch = nn.Sequential(nn.Linear(patch, hidden), nn.ReLU())
        self.shared = nn.Linear(hidden, space)
        self.classifier = nn.Linear(space, classes)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                bound = 1 / math.sqrt(layer.in_features)
                for weights in (layer.weight, layer.bias):
                    nn.init.uniform_(weights, -bound, bound, generator=generator)
        if anchored:
            nn.init.zeros_(self.shared.weight)
            nn.init.zeros_(self.shared.bias)

    def forward(self, spectra: Tensor, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return spectra (n, B) and patches (n, F) in the shared space, each (n, d)."""
        learned = self.shared(self.spectrum(spectra)), self.shared(self.patch(patches))
        if not self.anchored:
            return learned
        means = patches.view(len(patches), -1, self.components).mean(dim=1)
        beyond = (0, self.shared.out_features - self.components)
        return learned[0] + pad(spectra, beyond), learned[1] + pad(means, beyond)
