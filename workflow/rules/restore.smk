# Images: degrade them, and train denoisers.
RESTORE = config["restore"]
MODELS = RESTORE["models"]
TESTED = MODELS | RESTORE["baselines"]
TEST_SETS = named_sets(RESTORE["test_images"], "restore.test_images")
TRAIN_SETS = named_sets(RESTORE["train_images"], "restore.train_images")
DEGRADATIONS = list(dict.fromkeys(d for tested in TESTED.values() for d in tested))
WEIGHTS = f"<results>/restore/models/{{model}}/seed{config['seed']}.safetensors"


wildcard_constraints:
    set="[^/]+",
    degradation="[^/]+",
    model="[^/]+",


rule degrade:
    input:
        lambda w: TEST_SETS[w.set]["files"],
    output:
        "<results>/restore/degraded/{set}/{degradation}/degraded.json",
    log:
        "<results>/logs/restore/degrade/{set}/{degradation}.log",
    conda:
        ENVIRONMENT
    params:
        images=lambda w: TEST_SETS[w.set]["images"],
        folder=lambda w, output: Path(output[0]).parent,
        seed=config["seed"],
        code=code_revision("restore.degraded", "restore.sets"),
    message:
        "degrade {wildcards.set}: {wildcards.degradation}"
    shell:
        "restore degrade {params.images:q} {params.folder:q} {wildcards.degradation}"
        " --seed {params.seed} > {log:q} 2>&1"


rule train_dncnn:
    input:
        images=[file for found in TRAIN_SETS.values() for file in found["files"]],
        schedule=schedule_file(RESTORE["schedule"]),
    output:
        weights=WEIGHTS,
        history=f"<results>/restore/models/{{model}}/seed{config['seed']}.csv",
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
        images=[f"--images={found['images']}" for found in TRAIN_SETS.values()],
        schedule=RESTORE["schedule"],
        seed=config["seed"],
        code=code_revision("restore.train", "restore.sets"),
    message:
        "train {wildcards.model}"
    shell:
        "restore train {wildcards.model} {params.images:q} --out {output.weights:q}"
        " --log {output.history:q} --schedule {params.schedule:q} --seed {params.seed}"
        " --device {resources.device} > {log:q} 2>&1"


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
