"""The weights after the epoch with the highest score, for schedules that ask for them."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class BestEpoch:
    """Keep the weights of the best epoch so far.

    The score of an epoch is the sum of its steps' scores, each taken before the step changed the
    weights, as Keras counts the accuracy that its `ModelCheckpoint` looks at. Of epochs with equal
    scores the first one counts.

    Parameters
    ----------
    steps : int
        Steps in an epoch.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.epoch = 0  # the best one, counted from 1; 0 before the first has ended
        self.score = -math.inf
        self.weights: dict[str, Tensor] = {}
        self._scores: list[Tensor] = []

    def look(self, step: int, score: Tensor, model: nn.Module) -> None:
        """Add the score of step `step`, counted from 0; keep the weights if a best epoch ends."""
        self._scores.append(score.detach())
        if (step + 1) % self.steps:
            return
        total = float(torch.stack(self._scores).sum())
        self._scores.clear()
        if total > self.score:
            self.epoch, self.score = (step + 1) // self.steps, total
            self.weights = {name: value.clone() for name, value in model.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Return the complete state, for a checkpoint."""
        return {
            "epoch": self.epoch,
            "score": self.score if self.epoch else 0.0,
            "weights": self.weights,
            "scores": [float(score) for score in self._scores],
        }

    def resume(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Restore what `state` returned."""
        self.epoch = state["epoch"]
        self.score = state["score"] if self.epoch else -math.inf
        self.weights = {name: value.to(device) for name, value in state["weights"].items()}
        self._scores = [torch.tensor(score, device=device) for score in state["scores"]]
