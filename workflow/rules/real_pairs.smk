# Images: real noise with its ground truth, as tests of their own beside the made degradations.
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
    from restore.networks.denoiser import shipped_models

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
        here(f"restore/weights/{name.removeprefix('shipped-')}.safetensors")
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


wildcard_constraints:
    pairs=one_of(PAIRS),


rule benchmark_pairs:
    input:
        images=lambda w: PAIRS[w.pairs]["files"],
        weights=lambda w: weights_in_pairs([w.model]),
    output:
        "<results>/restore/pairs/{pairs}/{model}.csv",
    log:
        "<results>/logs/restore/pairs/{pairs}/{model}.log",
    benchmark:
        "<results>/logs/restore/pairs/{pairs}/{model}.benchmark.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=lambda w: COMPUTE["gpu"] * (w.model not in BASELINES),
        device=COMPUTE["device"],
        mem_mb=3000,
        runtime=240,
    params:
        model=lambda w, input: input.weights or w.model,
        options=lambda w: PAIRS[w.pairs]["options"],
        seed=config["seed"],
        choice=lambda w: chosen_from([w.model]),
        code=code_revision("restore.evaluation.benchmark"),
    message:
        "score {wildcards.model} on pairs:{wildcards.pairs}"
    shell:
        "restore benchmark --model {params.model:q} {params.options:q} --seed {params.seed}"
        " --device {resources.device} --out {output:q} > {log:q} 2>&1"


rule strip_of_pairs:
    input:
        images=lambda w: PAIRS[w.pairs]["files"],
        weights=lambda w: weights_in_pairs(PAIRS[w.pairs]["methods"]),
    output:
        report(
            "<results>/restore/pairs/{pairs}.png",
            caption="../report/pairs.rst",
            category="Images",
            subcategory="Before and after",
            labels={
                "picture": "strip",
                "set": "{pairs}",
                "degradation": "pairs:{pairs}",
            },
        ),
    log:
        "<results>/logs/restore/pairs/{pairs}_strip.log",
    conda:
        ENVIRONMENT
    resources:
        **COMPUTE,
    params:
        models=lambda w, input: [
            f"--model={model}"
            for model in [
                *(m for m in PAIRS[w.pairs]["methods"] if not weights_in_pairs([m])),
                *input.weights,
            ]
        ],
        options=lambda w: PAIRS[w.pairs]["options"],
        choice=lambda w: chosen_from(PAIRS[w.pairs]["methods"]),
        code=code_revision("restore.evaluation.figures"),
    message:
        "draw pairs:{wildcards.pairs}"
    shell:
        "restore compare {params.models:q} {params.options:q} --device {resources.device}"
        " --out {output:q} > {log:q} 2>&1"


REPORTED += collect("<results>/restore/pairs/{pairs}.png", pairs=PAIRS)
