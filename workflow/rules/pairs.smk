# Images: which pairs of noisy images and ground truth a run is tested on, and by what.
PAIRS = {}  # by name: what the command is told, the files, and who is tested


def options_of_pairs(name, chosen, key):
    """The options that name a set of pairs or two folders, and its files."""
    from restore.image_sets.catalogue import PUBLISHED
    from restore.image_sets.find import paired

    folders = [chosen["noisy"], chosen["truth"]]
    if folders == [None, None]:
        known = [known for known in PUBLISHED if PUBLISHED[known].pairs]
        try:
            settings.expect_known(name, known, "a set of pairs")
        except UserError as error:
            stop(f"{key}: {error}; or name the folders noisy and truth")
        return [f"--images={name}"], []
    if None in folders:
        stop(f"{key}: expected both noisy and truth, found one of them; name the other")
    try:
        found = paired(*folders, chosen["names"], name)
    except UserError as error:
        stop(f"{key}: {str(error).replace('`', '')}")
    told = ("images", "truth", "names", "name")
    given = zip(told, (*folders, chosen["names"], name))
    files = [str(item.path) for item in (*found.items, *found.noisy)]
    return [f"--{option}={value}" for option, value in given], files


def method_of(name, key):
    """A model that is trained here, a baseline or auto by its name, else shipped weights."""
    from restore.evaluation.baselines import BASELINES, method
    from restore.networks.shipped import shipped_models

    known = {"auto": "auto"} | {name: name for name in BASELINES}
    known |= {f"shipped-{name}": f"shipped-{name}" for name in shipped_models()}
    known = {name: f"shipped-{name}" for name in shipped_models()} | known
    known |= {name: name for name in MODELS}
    try:
        settings.expect_known(name, known, "auto, weights or a baseline")
        if name in BASELINES:
            method(name)  # it may need a package that is not installed
    except UserError as error:
        stop(f"{key}: {error}")
    return known[name]


for name, chosen in RESTORE["pairs"].items():
    options, files = options_of_pairs(name, chosen, f"restore.pairs.{name}")
    PAIRS[name] = {
        "options": options,
        "files": files,
        "methods": [
            method_of(model, f"restore.pairs.{name}.models[{number}]")
            for number, model in enumerate(chosen["models"])
        ],
    }
PAIR_SCORES = [
    f"<results>/restore/pairs/{name}/{method}.csv"
    for name in PAIRS
    for method in PAIRS[name]["methods"]
]


def weights_in_pairs(methods):
    """The files of weights among some methods; a training makes those that are not shipped."""
    shipped = [
        packaged(f"restore/weights/{name.removeprefix('shipped-')}.safetensors")
        for name in methods
        if name.startswith("shipped-")
    ]
    return (
        collect(WEIGHTS, model=[name for name in methods if name in MODELS]) + shipped
    )


def pairs_of(model):
    """The pairs that a model is tested on."""
    return [PAIRS[name] for name in PAIRS if model in PAIRS[name]["methods"]]


def apart_from_pairs(model):
    """The image sets and folders of these pairs, for its training to stay apart from."""
    named = (o.partition("=") for test in pairs_of(model) for o in test["options"])
    return [
        f"--apart-from={value}"
        for option, _, value in named
        if option in ("--images", "--truth")
    ]


def chosen_from(methods):
    """The hashes of all that auto may choose, so that other weights are scored again."""
    return read_by("auto") if "auto" in methods else []
