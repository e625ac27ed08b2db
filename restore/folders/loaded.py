"""An image that is read, on its way through a model."""

from dataclasses import dataclass

import numpy as np

from restore.denoising.choose import Choice
from restore.denoising.noise_seen import Noise, combined
from restore.folders.listing import Job
from restore.folders.plane import Plane
from restore.images.picture import Picture


@dataclass
class Loaded:
    """An image that is read, and its model chosen; its pixels are restored in place."""

    job: Job
    began: float
    sha256: str
    pages: list[Picture]
    planes: list[Plane]
    choices: list[Choice]  # one a plane

    @property
    def sigma(self) -> float:
        """Return the mean noise level of the planes."""
        return float(np.mean([plane.sigma for plane in self.planes]))

    @property
    def noise(self) -> Noise:
        """Return the mean of what is seen of the planes' noise."""
        return combined([plane.noise for plane in self.planes])

    @property
    def weights(self) -> str | None:
        """Return the SHA-256 of the first plane's weights; None where there was none."""
        candidate = self.choices[0].candidate
        return None if candidate is None else candidate.sha256

    @property
    def models(self) -> str:
        """Return the models by name."""
        return ", ".join(dict.fromkeys(choice.name for choice in self.choices))

    @property
    def doubt(self) -> str:
        """Return what speaks against the models and the values of white, each once."""
        doubts = [choice.doubt for choice in self.choices]
        doubts += [plane.doubt for plane in self.planes]
        return "; ".join(dict.fromkeys(filter(None, doubts)))
