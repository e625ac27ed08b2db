"""A trained network as one ONNX file: spectra of a scene in, probabilities of every pixel out.

The whole of `hsi classify` is inside: the projection of spectra to components, the border of zeros,
the dense pass, the mean over orientations where the model averages, and its calibration.
"""

import json
from pathlib import Path

import numpy as np

from engine import artifacts
from engine.errors import writing
from engine.orientation import COUNT
from hsi.calibration.temperature import FLOOR
from hsi.classifiers.model import Model, load_model
from hsi.classifiers.window import NetworkClassifier
from hsi.errors import HsiError
from hsi.features.projection import Projection
from hsi.networks.onnx_graph import CannotExport, Graph, dense

OPSET = 17  # of 2022: what programs of users read
OPSETS = (14, 25)  # in these, all operators that are used are the same
_IR_VERSION = 8  # of the same year
CAN = "hybridsn (also -11, -15, -19), cnn2d, cnn2d-13, cnn3d, reversed and lenet5"


def export(path: Path | str, out: Path | str, *, opset: int = OPSET) -> dict[str, str]:
    """Write a model of `hsi.train` as ONNX.

    Parameters
    ----------
    path : Path or str
        A .safetensors file of a network whose windows share one pass over a scene.
    out : Path or str
        .onnx: input `spectra`, float32 (N, H, W, B), all bands of the training scene in its own
        units, any N, H and W; output `probabilities`, float32 (N, H, W, C). A pixel whose bands are
        all 0, or not all finite, holds no data: its probabilities are 0.
    opset : int
        Of ONNX, `OPSETS[0]` to `OPSETS[1]`.

    Returns
    -------
    dict of str to str
        What is written beside the weights: classifier, classes, names, bands, wavelengths, scene,
        split, hash.

    Raises
    ------
    HsiError
        No such model; one that is no such network, or whose probabilities are smoothed; another
        ending or opset; the package onnx is missing; the file cannot be written.
    """
    out = Path(out)
    if out.suffix.lower() != ".onnx":
        raise HsiError(f"{out}: expected a name that ends with .onnx")
    if not OPSETS[0] <= opset <= OPSETS[1]:
        raise HsiError(f"`opset` {opset}: expected {OPSETS[0]} to {OPSETS[1]}")
    model = load_model(path)
    try:
        import onnx
        from onnx import helper
    except ImportError as error:
        raise HsiError(f"{out}: needs the package onnx; pip install 'restore-hsi[onnx]'") from error
    graph = _graph(model, path)
    shapes = {"spectra": int(model.description["bands"]), "probabilities": len(model.classes)}
    spectra, probabilities = (
        helper.make_tensor_value_info(
            name, onnx.TensorProto.FLOAT, ["batch", "height", "width", count]
        )
        for name, count in shapes.items()
    )
    about = _about(model)
    operators = [helper.make_opsetid("", opset)]
    whole = helper.make_model(
        helper.make_graph(
            graph.nodes, about["classifier"], [spectra], [probabilities], graph.constants
        ),
        opset_imports=operators,
        producer_name="restore-hsi",
        ir_version=max(_IR_VERSION, helper.find_min_ir_version_for(operators)),
    )
    helper.set_model_props(whole, about)
    onnx.checker.check_model(whole, full_check=True)
    with writing(out, HsiError), artifacts.atomic(out) as part:
        part.write_bytes(whole.SerializeToString())
    return about


def _graph(model: Model, path: Path | str) -> Graph:
    classifier = model.classifier
    if not isinstance(classifier, NetworkClassifier):
        smoothed = hasattr(classifier, "smoothing")
        found = "whose probabilities are smoothed" if smoothed else "which is no network"
        raise HsiError(f"{path}: {classifier.name}, {found}, cannot be exported; {CAN} can")
    assert classifier.network is not None
    assert classifier.pca is not None
    network, graph = classifier.network.cpu().eval(), Graph()
    components, valid = _projected(graph, classifier.pca)
    half = network.window // 2
    pads = graph.constant([0, 0, half, half, 0, 0, half, half], "int64")
    crop = graph.node("Pad", components, pads)
    count = COUNT if classifier.recipe.average else 1
    try:
        turned = [
            graph.back(
                graph.node(
                    "Softmax", dense(graph, network, graph.oriented(crop, turn)), axis=1
                ),
                turn,
            )
            for turn in range(count)
        ]  # fmt: skip
    except CannotExport as error:
        raise HsiError(
            f"{path}: {classifier.name} cannot be exported ({error}); {CAN} can"
        ) from error
    shares = turned[0]
    if count > 1:
        shares = graph.node("Div", graph.node("Sum", *turned), graph.constant(np.float32(count)))
    kept = model.description.get("calibration")
    if kept is not None and kept["temperature"] != 1:
        floor, warm = (graph.constant(np.float32(value)) for value in (FLOOR, kept["temperature"]))
        logits = graph.node("Div", graph.node("Log", graph.node("Max", shares, floor)), warm)
        shares = graph.node("Softmax", logits, axis=1)
    last = graph.node("Transpose", shares, perm=[0, 2, 3, 1])
    graph.node("Where", valid, last, graph.constant(np.float32(0)), out="probabilities")
    return graph


def _projected(graph: Graph, pca: Projection) -> tuple[str, str]:
    """Append the projection in float64, as it is fitted; return components and what holds data."""
    bands = graph.constant(pca.bands, "int64")
    chosen = graph.node("Gather", "spectra", bands, axis=3)
    spectra = graph.node("Cast", chosen, to=11)  # float64
    axis = graph.constant([3], "int64")
    size = graph.node("ReduceSum", graph.node("Abs", spectra), axis, keepdims=1)
    some = graph.node("Greater", size, graph.constant(np.float64(0)))  # False for NaN
    finite = graph.node("Less", size, graph.constant(np.float64(np.inf)))
    valid = graph.node("And", some, finite)
    mean = graph.constant(pca.mean, "float64")
    centred = graph.node("Sub", graph.node("Where", valid, spectra, mean), mean)
    product = graph.node("MatMul", centred, graph.constant(pca.components.T, "float64"))
    scaled = graph.node("Div", product, graph.constant(pca.scale, "float64"))
    components = graph.node("Cast", scaled, to=1)  # float32
    return graph.node("Transpose", components, perm=[0, 3, 1, 2]), valid


def _about(model: Model) -> dict[str, str]:
    described = model.description
    return {
        "classifier": str(described["classifier"]),
        "classes": json.dumps(described["classes"]),
        "class_names": json.dumps(described["class_names"], ensure_ascii=False),
        "bands": str(described["bands"]),
        "wavelengths_nm": json.dumps(described["wavelengths"]),
        "scene": str(described["scene"]),
        "split": str(described["split"]["how"]),
        "sha256": model.sha256,
    }
