"""Two encoders into one space, and one linear classifier of both.

L. Zhen et al., "Deep Supervised Cross-Modal Retrieval", CVPR 2019: each view has a dense layer with
ReLU of its own; the layer into the shared space, and the classifier, have one set of weights.
"""

import math

import torch
from torch import Tensor, nn

HIDDEN, SPACE = 256, 128


class Encoders(nn.Module):
    """Both encoders and the classifier.

    Parameters
    ----------
    spectrum, patch : int
        Numbers in the two views.
    classes : int
    generator : Generator
        Draws the initial weights, as PyTorch draws those of a dense layer.
    hidden, space : int
        Widths of the views' own layers and of the shared space.
    """

    def __init__(
        self,
        spectrum: int,
        patch: int,
        classes: int,
        generator: torch.Generator,
        *,
        hidden: int = HIDDEN,
        space: int = SPACE,
    ) -> None:
        super().__init__()
        self.spectrum = nn.Sequential(nn.Linear(spectrum, hidden), nn.ReLU())
        self.patch = nn.Sequential(nn.Linear(patch, hidden), nn.ReLU())
        self.shared = nn.Linear(hidden, space)
        self.classifier = nn.Linear(space, classes)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                bound = 1 / math.sqrt(layer.in_features)
                for weights in (layer.weight, layer.bias):
                    nn.init.uniform_(weights, -bound, bound, generator=generator)

    def forward(self, spectra: Tensor, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return spectra (n, B) and patches (n, F) in the shared space, each (n, d)."""
        return self.shared(self.spectrum(spectra)), self.shared(self.patch(patches))
