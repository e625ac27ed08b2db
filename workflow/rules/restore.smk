# Images: degrade them, and train denoisers.
RESTORE = config["restore"]
MODELS, BASELINES = RESTORE["models"], RESTORE["baselines"]
TEST_SETS = {}  # by the name that tables and folders give them
TESTED = {}  # the degradations of each test set, by model or baseline
TRAINED = {}  # the training sets of each model
WEIGHTS = f"<results>/restore/models/{{model}}/seed{config['seed']}.safetensors"
DEGRADED = "<results>/restore/degraded{color}/{set}/{degradation}/degraded.json"


for images in RESTORE["test_images"]:
    enter(images, TEST_SETS, "restore.test_images")
for kind in ("models", "baselines"):
    for model, entry in RESTORE[kind].items():
        own = isinstance(entry, dict)
        chosen = entry["test"] if own else dict.fromkeys(RESTORE["test_images"], entry)
        key = f"restore.{kind}.{model}.test" if own else "restore.test_images"
        TESTED[model] = {
            enter(images, TEST_SETS, key): degradations
            for images, degradations in chosen.items()
        }
        TRAINED[model] = {}
        own = own and "train" in entry
        key = f"restore.models.{model}.train" if own else "restore.train_images"
        for images in entry["train"] if own else RESTORE["train_images"]:
            enter(images, TRAINED[model], key)


def colour(model):
    """The end of the name of a colour model, and of the folders of what it is given."""
    return "-color" if model.endswith("-color") else ""


def images_of(sets, option):
    return [f"--{option}={found['images']}" for found in sets.values()]


def files_of(sets):
    return [file for found in sets.values() for file in found["files"]]


def tests_of(model):
    return {name: TEST_SETS[name] for name in TESTED[model]}


def sets_are_at_hand():
    """A set that cannot be fetched stops the run before days of training, not after them."""
    from restore.sets import PUBLISHED, find

    degraded = [j for j in workflow.dag.needrun_jobs() if j.rule.name == "degrade"]
    for name in dict.fromkeys(job.wildcards.set for job in degraded):
        known = PUBLISHED.get(TEST_SETS[name]["images"])
        if known and not known.origin and not find(name, config["data_root"]):
            stop(
                f"image set {name} has no checked download: put its {known.images} images into a"
                f" folder {known.folder}, and name the folder that holds it as data_root"
            )


STARTING.append(sets_are_at_hand)


wildcard_constraints:
    color="|-color",
    set="[^/]+",
    degradation="[^/]+",
    model="[^/]+",


rule degrade:
    input:
        lambda w: TEST_SETS[w.set]["files"],
    output:
        DEGRADED,
    log:
        "<results>/logs/restore/degrade{color}/{set}/{degradation}.log",
    conda:
        ENVIRONMENT
    params:
        images=lambda w: TEST_SETS[w.set]["images"],
        folder=lambda w, output: Path(output[0]).parent,
        colour=lambda w: ["--color"] if w.color else [],
        seed=config["seed"],
        code=code_revision("restore.degraded", "restore.sets"),
    message:
        "degrade{wildcards.color} {wildcards.set}: {wildcards.degradation}"
    shell:
        "restore degrade {params.images:q} {params.folder:q} {wildcards.degradation}"
        " --seed {params.seed} {params.colour} > {log:q} 2>&1"


# What a training wrote stays until the next one ends: the command sees whether anything that
# decides the weights has changed, so that another test set does not train again.
rule train_dncnn:
    input:
        images=lambda w: files_of(TRAINED[w.model]) + files_of(tests_of(w.model)),
        schedule=schedule_file(RESTORE["schedule"]),
    output:
        weights=update(WEIGHTS),
        history=update(WEIGHTS.replace(".safetensors", ".csv")),
    log:
        "<results>/logs/restore/train/{model}.log",
    benchmark:
        "<results>/logs/restore/train/{model}.benchmark.tsv"
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=6000,
        runtime=2880,
    params:
        images=lambda w: images_of(TRAINED[w.model], "images"),
        apart=lambda w: images_of(tests_of(w.model), "apart-from"),
        overlap=RESTORE["overlap"],
        schedule=RESTORE["schedule"],
        optimizer=[],
        seed=config["seed"],
        code=code_revision("restore.train", "restore.sets", "restore.overlap"),
    message:
        "train {wildcards.model}"
    shell:
        "restore train {wildcards.model} {params.images:q} --out {output.weights:q}"
        " --log {output.history:q} --schedule {params.schedule:q} {params.optimizer}"
        " {params.apart:q} --overlap {params.overlap}"
        " --seed {params.seed} --device {resources.device} > {log:q} 2>&1"


rule curves:
    input:
        collect(rules.train_dncnn.output.history, model=MODELS),
    output:
        report(
            "<results>/restore/curves.png",
            caption="../report/curves.rst",
            category="Images",
            subcategory="Training",
            labels={"picture": "training curves", "set": "", "degradation": ""},
        ),
    log:
        "<results>/logs/restore/curves.log",
    conda:
        ENVIRONMENT
    params:
        schedule=RESTORE["schedule"],
        code=code_revision("restore.pictures"),
    message:
        "draw training curves"
    shell:
        "restore curves {input:q} --out {output:q} > {log:q} 2>&1"
