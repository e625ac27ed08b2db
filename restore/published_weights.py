"""The DnCNN weights that people have: the authors' MatConvNet files and PyTorch state dicts.

In both, batch normalisation is already folded into the convolutions. The files do not say for
which noise they were trained: the published ones are recognised by checksum, others by their name.
"""

import pickle  # noqa: TID251 (for its exception only: torch raises it for a file it refuses)
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine import artifacts
from restore.errors import RestoreError

_Convolution = tuple[NDArray[np.float32], NDArray[np.float32]]
