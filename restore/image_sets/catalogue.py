"""The image sets that are known by name: where each comes from and on what terms."""

from dataclasses import dataclass

VARIABLE = "RESTORE_DATA"


@dataclass(frozen=True)
class Published:
    """What is known of a set that people publish figures on.

    Attributes
    ----------
    folder : str
        Where it lies under a data folder.
    images : int
    origin : str
        URL of the folder its files are fetched from; empty where only the user can get it.
    terms : str
    subset : tuple of str
        Names of the images, where the set is a part of `folder`.
    grey : bool
        Whether it has grey images.
    pairs : tuple of str
        For real noise with its ground truth: the names of two sub-folders, noisy and clean, and
        how names differ where all files lie in one folder (`restore.image_sets.partners`). Such a
        set is to judge by, never to train on.
    """

    folder: str
    images: int
    origin: str
    terms: str
    subset: tuple[str, ...] = ()
    grey: bool = False
    pairs: tuple[str, ...] = ()


_DNCNN = "https://raw.githubusercontent.com/cszn/DnCNN/master"


_BSDS = "https://raw.githubusercontent.com/BIDS/BSDS500/master/BSDS500/data/images"


_RESEARCH = "research; no licence file"


_BSDS_TERMS = "non-commercial research and education (Berkeley segmentation data set)"


_POLYU = "https://raw.githubusercontent.com/csjunxu/PolyU-Real-World-Noisy-Images-Dataset"


# BSD68 in colour: test001.png ... test068.png are these, in this order.
_CBSD68 = """
101085 101087 102061 103070 105025 106024 108005 108070 108082 109053 119082 12084 123074 126007
130026 134035 14037 143090 145086 147091 148026 148089 157055 159008 160068 16077 163085 167062
167083 170057 175032 175043 182053 189080 19021 196073 197017 208001 210088 21077 216081 219090
220075 223061 227092 229036 236037 24077 241004 241048 253027 253055 260058 271035 285079 291000
295087 296007 296059 299086 300091 302008 304034 304074 306005 3096 33039 351093
"""


PUBLISHED = {
    "Train400": Published(
        "Train400",
        400,
        f"{_DNCNN}/TrainingCodes/DnCNN_TrainingCodes_v1.0/data/Train400",
        _BSDS_TERMS,
        grey=True,
    ),
    "BSD68": Published("BSD68", 68, f"{_DNCNN}/testsets/BSD68", _BSDS_TERMS, grey=True),
    "CBSD68": Published("BSDS500/val", 68, f"{_BSDS}/val", _BSDS_TERMS, tuple(_CBSD68.split())),
    "Set12": Published("Set12", 12, f"{_DNCNN}/testsets/Set12", _RESEARCH, grey=True),
    "Set5": Published("Set5", 5, f"{_DNCNN}/testsets/Set5", _RESEARCH),
    "Set14": Published("Set14", 14, "", _RESEARCH),
    "Classic5": Published("Classic5", 5, f"{_DNCNN}/testsets/Classic5", _RESEARCH, grey=True),
    "LIVE1": Published("LIVE1", 29, f"{_DNCNN}/testsets/LIVE1", "research (LIVE, UT Austin)"),
    "T91": Published(
        "T91",
        91,
        "https://raw.githubusercontent.com/tegg89/SRCNN-Tensorflow/master/Train",
        _RESEARCH,
    ),
    "BSDS500-train": Published("BSDS500/train", 200, f"{_BSDS}/train", _BSDS_TERMS),
    "BSDS500-test": Published("BSDS500/test", 200, f"{_BSDS}/test", _BSDS_TERMS),
    "BSDS500-val": Published("BSDS500/val", 100, f"{_BSDS}/val", _BSDS_TERMS),
    # J. Xu et al., "Real-world noisy image denoising: a new benchmark", arXiv:1804.02603, 2018:
    # 100 crops of photographs by five cameras, and the mean of some hundred shots of each scene.
    "PolyU": Published(
        "PolyU",
        100,
        f"{_POLYU}/3af0f2646b267a00446fe4b7113a15e67bc80b4e/CroppedImages",
        "non-commercial (The Hong Kong Polytechnic University); pairs to judge by, not to train on",
        pairs=("noisy", "mean", "_real=_mean"),
    ),
}


# Package and file; the functions of skimage.data are avoided because some of them download.
_SKIMAGE, _SKLEARN, _PYWT = "skimage/data", "sklearn/datasets/images", "pywt/data"


EMBEDDED = {
    "embedded-train": (
        f"{_SKIMAGE}/astronaut.png",
        f"{_SKIMAGE}/coffee.png",
        f"{_SKIMAGE}/chelsea.png",
        f"{_SKIMAGE}/rocket.jpg",
        f"{_SKIMAGE}/motorcycle_left.png",
        f"{_SKLEARN}/china.jpg",
        f"{_SKLEARN}/flower.jpg",
        f"{_SKIMAGE}/grass.png",
        f"{_SKIMAGE}/gravel.png",
        f"{_SKIMAGE}/brick.png",
    ),
    "embedded-test": (
        f"{_SKIMAGE}/camera.png",
        f"{_SKIMAGE}/coins.png",
        f"{_SKIMAGE}/moon.png",
        f"{_PYWT}/ascent.npz",
        f"{_PYWT}/aero.npz",
    ),
    # In colour, for weights that were trained elsewhere; those trained on `embedded-train` know it.
    "embedded-color": (
        f"{_SKIMAGE}/astronaut.png",
        f"{_SKIMAGE}/coffee.png",
        f"{_SKIMAGE}/chelsea.png",
        f"{_SKLEARN}/flower.jpg",
    ),
}


def names() -> tuple[str, ...]:
    """Return the name of every set that `restore.image_set` knows beside folders."""
    return (*EMBEDDED, *PUBLISHED)
