# Images: which folders are denoised, and in how many jobs.
DENOISE = {}  # settings and shards, by the output folder's full path


def full(path):
    return Path(os.path.abspath(path))


def inside(path, folder):
    return path == folder or folder in path.parents


def weights_of(model):
    """The file that a model is read from, if it is one: of one's own, or trained by this run."""
    from restore.networks.shipped import shipped_models

    return [] if model == "auto" or model in shipped_models() else [model]


def read_by(model):
    """The hashes of the shipped weights that a model means, so that other ones denoise again."""
    from engine.artifacts import sha256_file
    from restore.networks.shipped import shipped_models

    read = [path for name, path in shipped_models().items() if model in ("auto", name)]
    return [sha256_file(path) for path in read]


def planned(settings, key):
    """The settings of a folder, with its images by shard."""
    from restore.folders import listing, shards
    from restore.networks import shipped

    if settings["model"] not in ("auto", *TRAINED_WEIGHTS):
        try:
            shipped.find(settings["model"])
        except UserError as error:
            stop(f"{key}.model: {error}")
    try:
        jobs = listing.folder(
            full(settings["input"]),
            full(settings["output"]),
            recursive=settings["recursive"],
            exclude=settings["exclude"],
            form=settings["format"],
        )
    except UserError as error:
        stop(f"{key}: {error}")
    return settings | {
        "shards": shards.divide(jobs, settings["images_per_job"]),
        "weights": weights_of(settings["model"]),
        "read": read_by(settings["model"]),
    }


def options_of(w):
    """The options that decide what an image becomes; another one denoises all again."""
    chosen = DENOISE[w.clean]
    return [
        *(f"--{name}={chosen[name]}" for name in ("sigma", "format", "strength")),
        *[f"--white={chosen['white']}"] * (chosen["white"] is not None),
        *["--self-ensemble"] * chosen["self_ensemble"],
        *["--strict"] * chosen["strict"],
    ]


def listed_by(w):
    """The options that decide which images there are."""
    chosen = DENOISE[w.clean]
    return [
        *["--recursive"] * chosen["recursive"],
        *(f"--exclude={pattern}" for pattern in chosen["exclude"]),
    ]


def images_in(w):
    """Names, sizes and times of a shard's images, in one: a million input files are a burden."""
    from restore.folders.shards import state

    return state(DENOISE[w.clean]["shards"].get(w.shard, []))


TRAINED_WEIGHTS = [
    f"{config['results']}/restore/models/{model}/seed{config['seed']}.safetensors"
    for model in RESTORE["models"]
]
for number, settings_of_one in enumerate(RESTORE["denoise"]):
    for other, settings_of_other in enumerate(RESTORE["denoise"]):
        source = full(settings_of_one["input"])
        clean = full(settings_of_other["output"])
        met = inside(source, clean) or (
            settings_of_one["recursive"] and inside(clean, source)
        )
        if other != number and met:
            stop(
                f"restore.denoise[{number}].input: '{settings_of_one['input']}' and the output"
                f" '{settings_of_other['output']}' of restore.denoise[{other}] lie in each other;"
                " name folders apart"
            )
    folder_key = str(full(settings_of_one["output"]))
    if folder_key in DENOISE:
        stop(
            f"restore.denoise[{number}].output: '{settings_of_one['output']}' is the output of"
            " another folder, too; name another one"
        )
    DENOISE[folder_key] = planned(settings_of_one, f"restore.denoise[{number}]")
