"""Auxiliary heads: classifiers on inner features, whose loss is added in training alone.

C. Szegedy et al., "Going Deeper with Convolutions", CVPR 2015.
"""

from torch import Tensor, nn


class Auxiliary(nn.Module):
    """Let features through; in training, keep the logits of a head on them for the loss.

    Parameters
    ----------
    head : Module
        (N, C, h, w) to logits (N, classes).
    share : float
        Weight of its loss beside that of the network's end.
    """

    def __init__(self, head: nn.Module, share: float = 0.3) -> None:
        super().__init__()
        self.head, self.share = head, share
        self._logits: Tensor | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Return the features as they are."""
        if self.training:
            self._logits = self.head(features)
        return features

    def taken(self) -> Tensor | None:
        """Return the logits of the last training pass, once."""
        logits, self._logits = self._logits, None
        return logits
