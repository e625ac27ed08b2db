# Images: which model is trained and tested on which sets.
RESTORE = config["restore"]
MODELS, BASELINES = RESTORE["models"], RESTORE["baselines"]
# Weights that are there, by a name apart from that of the model that is trained here.
SHIPPED = {
    f"shipped-{name}": packaged(f"restore/weights/{name}.safetensors")
    for name in RESTORE["shipped"]
}
TEST_SETS = {}  # by the name that tables and folders give them
TESTED = {}  # the degradations of each test set, by model, shipped weights or baseline
TRAINED = {}  # the training sets of each model


def colour(model):
    """The end of the names of a colour model's folders; '' for grey models and baselines."""
    if model in BASELINES:
        return ""
    from restore.networks.variants import variant

    channels = variant(model.removeprefix("shipped-")).architecture.channels
    return "-color" if channels == 3 else ""


def in_colour(sets, key):
    """A colour model has nothing to say of grey images: better told before it is trained."""
    from restore.image_sets.find import grey_image

    for images in sets:
        if (grey := grey_image(images, config["data_root"])) is not None:
            stop(
                f"{key}: expected test images in colour, found {grey or 'grey ones'} in {images};"
                " give it colour sets of its own, as in {test: {CBSD68: [noise:25]}}"
            )


for images in RESTORE["test_images"]:
    enter(images, TEST_SETS, "restore.test_images")
KINDS = ("models", "shipped", "baselines")
for name in dict.fromkeys(name for kind in KINDS for name in RESTORE[kind]):
    for kind in KINDS:
        if name not in RESTORE[kind]:
            continue
        entry = RESTORE[kind][name]
        model = f"shipped-{name}" if kind == "shipped" else name
        own = isinstance(entry, dict)
        chosen = entry["test"] if own else dict.fromkeys(RESTORE["test_images"], entry)
        if colour(model):
            in_colour(chosen, f"restore.{kind}.{name}")
        key = f"restore.{kind}.{name}.test" if own else "restore.test_images"
        TESTED[model] = {
            enter(images, TEST_SETS, key): degradations
            for images, degradations in chosen.items()
        }
        if kind != "models":
            continue
        TRAINED[model] = {}
        own = own and "train" in entry
        key = f"restore.models.{model}.train" if own else "restore.train_images"
        for images in entry["train"] if own else RESTORE["train_images"]:
            enter(images, TRAINED[model], key)


def images_of(sets, option):
    return [f"--{option}={found['images']}" for found in sets.values()]


def files_of(sets):
    return [file for found in sets.values() for file in found["files"]]


def tests_of(model):
    return {name: TEST_SETS[name] for name in TESTED[model]}


def of_kind(w):
    """The degradations of one kind that a model is tested on."""
    asked = TESTED[w.model].get(w.set, [])
    return [
        degradation for degradation in asked if degradation.partition(":")[0] == w.kind
    ]


def shown(models, w):
    """The first of some models of a strip's colours that is tested on its images, in a list."""
    return [
        model
        for model in models
        if colour(model) == w.color and w.degradation in TESTED[model].get(w.set, [])
    ][:1]


def sets_are_at_hand():
    """A set that cannot be fetched stops the run before days of training, not after them."""
    from restore.image_sets.catalogue import PUBLISHED
    from restore.image_sets.find import find

    degraded = [j for j in workflow.dag.needrun_jobs() if j.rule.name == "degrade"]
    for name in dict.fromkeys(job.wildcards.set for job in degraded):
        known = PUBLISHED.get(TEST_SETS[name]["images"])
        if known and not known.origin and not find(name, config["data_root"]):
            stop(
                f"image set {name} has no checked download: put its {known.images} images into a"
                f" folder {known.folder}, and name the folder that holds it as data_root"
            )


STARTING.append(sets_are_at_hand)
