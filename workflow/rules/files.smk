# What the files of a config say of themselves: looked at before any work starts.
from functools import cache

from snakemake.settings.types import DeploymentMethod
from snakemake_interface_executor_plugins.settings import ExecMode

from engine.memory import parse_bytes, size_in_words

READ_AT_ONCE = 8 * 2**20  # bytes of a file that may be read whole
UNPACKED = (".mat", ".npz")  # read whole, for a cube too
WITH_VARIABLES = (*UNPACKED, ".h5", ".hdf5", ".he5", ".nc", ".zarr")


def looks_into_files():
    """Whether this is a plan, not a job on its own, and has the packages of its jobs."""
    elsewhere = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
    return workflow.exec_mode == ExecMode.DEFAULT and not elsewhere


@cache
def size_of(source, kind):
    """Rows and columns of a cube, labels or a mask; None where a look would take long.

    It refuses what cannot be opened. Labels that are polygons have the size of their scene.
    """
    from hsi.formats import vector
    from hsi.formats.registry import files, locate, read
    from hsi.scenes.embedded import EMBEDDED
    from hsi.scenes.labels import open_labels
    from hsi.scenes.scene import open_scene

    if not looks_into_files():
        return None
    if source != EMBEDDED:
        path, variable = locate(source)
        suffix = path.suffix.lower()
        if kind != "cube" and suffix in vector.SUFFIXES:
            return None
        in_place = kind == "cube" and suffix not in UNPACKED
        refused = variable is not None and suffix not in WITH_VARIABLES  # at once
        small = sum(part.stat().st_size for part in files(source)) <= READ_AT_ONCE
        if not (in_place or refused or small):
            return None
    if kind == "mask":
        return read(source, "labels").array.shape
    if kind == "labels":
        return open_labels(source).ground_truth.shape
    return open_scene(source).shape


def source_of(kind):
    """A check that what a cube or labels come from can be opened."""

    def check(source):
        from hsi.formats.registry import files
        from hsi.scenes.embedded import EMBEDDED

        if source != EMBEDDED:
            plain(source)
            files(source)
            size_of(source, kind)

    return check


def split(how):
    """What a split with a share means; another is written in one way alone, or named by a file."""
    from hsi.formats.registry import files, locate
    from hsi.splits.split_files import WITH_FILES, split_files

    kind, _, what = how.partition(":")
    if kind in WITH_FILES:
        plain(what)
        sources = split_files(how)
        for source in sources:
            files(source)
            # A file alone may hold both sides of a mask.
            if len(sources) > 1 or locate(source)[1] is not None:
                size_of(source, "mask")
        return None
    try:
        return kind, float(what)
    except ValueError:
        return None


def classifier_of(path):
    """The classifier in a model file."""
    from engine.tensors import load_description
    from hsi.classifiers.catalogue import CATALOGUE

    file(path)
    name = load_description(path).get("classifier")
    if not isinstance(name, str) or name not in CATALOGUE:
        raise UserError(f"{path}: expected a model of hsi train, found other weights")
    return CATALOGUE[name]


def map_bytes(text):
    """What a map may hold: never less than it takes beside its blocks."""
    from hsi.scenes.spectra import PEAK_BYTES

    least = 192 * 2**20 + PEAK_BYTES  # as hsi.maps.plan has it
    if (asked := parse_bytes(text)) < least:
        raise UserError(
            f"{text}: expected more than the {size_in_words(least)} that a map takes beside its "
            f"blocks, found {size_in_words(asked)}; write 2GiB, or leave it out"
        )


def check_together(hsi):
    """Refuse keys of scenes and of maps that do not fit each other."""
    for name, files in hsi["scenes"].items():
        sizes = size_of(files["cube"], "cube"), size_of(files["labels"], "labels")
        if None not in sizes and sizes[0] != sizes[1]:
            cube, found = (" × ".join(map(str, size)) for size in sizes)
            raise UserError(
                f"hsi.scenes.{name}.labels: expected the {cube} pixels of the cube, found {found}; "
                "name the labels of this scene"
            )
    for name, asked in hsi["maps"].items():
        key = f"hsi.maps.{name}"
        size = size_of(asked["scene"], "cube") if asked["strips"] > 1 else None
        if size is not None and asked["strips"] > size[0]:
            raise UserError(
                f"{key}.strips: expected at most {size[0]}, one per row of {asked['scene']}, found "
                f"{asked['strips']}; ask for fewer"
            )
        entry = classifier_of(asked["model"])
        for layer in ("probabilities", "confidence"):
            if asked[layer] and not entry.has_probabilities:
                raise UserError(
                    f"{key}.{layer}: expected a model with probabilities, found one of {entry.name}, "
                    "which has none; use hybridsn or forest, or leave it out"
                )
