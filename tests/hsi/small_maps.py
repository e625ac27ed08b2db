"""Maps of the tests' scene by small models, for the tests of `hsi classify`."""

from hsi.maps.classify import classify
from hsi.maps.options import MapOptions
from hsi.scenes.scene import open_scene


def run(small_models, out, cpu, model="cnn2d", **options):
    scene = open_scene(small_models / "stripes.hdr")
    return classify(
        scene, small_models / f"{model}.safetensors", out, MapOptions(**options), compute=cpu
    )


def parts(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]
