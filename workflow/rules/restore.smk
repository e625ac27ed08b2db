# Images: degrade them, and train denoisers.
WEIGHTS = f"<results>/restore/models/{{model}}/seed{config['seed']}.safetensors"
LOSSES = WEIGHTS.replace(".safetensors", ".csv")
DEGRADED = "<results>/restore/degraded{color}/{set}/{degradation}/degraded.json"


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
        code=code_revision(
            "restore.evaluation.degraded_files", "restore.image_sets.find"
        ),
    message:
        "degrade{wildcards.color} {wildcards.set}: {wildcards.degradation}"
    shell:
        "restore degrade {params.images:q} {params.folder:q} {wildcards.degradation}"
        " --seed {params.seed} {params.colour} --overwrite > {log:q} 2>&1"


# The command sees whether anything that decides the weights has changed, so that another test set
# does not train again.
rule train_dncnn:
    input:
        images=lambda w: files_of(TRAINED[w.model])
        + files_of(tests_of(w.model))
        + [file for test in pairs_of(w.model) for file in test["files"]],
        schedule=schedule_file(RESTORE["schedule"]),
        teachers=teachers_of(RESTORE["schedule"]),
    output:
        weights=trained(WEIGHTS),
        history=trained(LOSSES),
    log:
        "<results>/logs/restore/train/{model}.log",
    benchmark:
        "<results>/logs/restore/train/{model}.benchmark.tsv"
    priority: 1
    conda:
        ENVIRONMENT
    threads: TRAINING_THREADS
    resources:
        **COMPUTE,
        mem_mb=scaled(6000),
        runtime=1440,
    params:
        kept=kept_by_command,
        placed=in_place,
        folder=folder_of,
        images=lambda w: images_of(TRAINED[w.model], "images"),
        apart=lambda w: images_of(tests_of(w.model), "apart-from")
        + apart_from_pairs(w.model),
        overlap=RESTORE["overlap"],
        schedule=RESTORE["schedule"],
        optimizer=[],
        seed=config["seed"],
        code=code_revision(
            "restore.training.train",
            "restore.image_sets.find",
            "restore.image_sets.overlap",
        ),
    message:
        "train {wildcards.model}"
    shell:
        f"{TAKE_GPU}{RECALL}"
        f"{{{{ {WIDE}"
        "restore train {wildcards.model} {params.images:q} --out {params.kept[0]:q}"
        " --log {params.kept[1]:q} --schedule {params.schedule:q} {params.optimizer}"
        " {params.apart:q} --overlap {params.overlap}"
        " --seed {params.seed} --device {resources.device}"
        f"{HAND_ON}"
        "; }} > {log:q} 2>&1"


rule place_dncnn:
    input:
        files=[trained(WEIGHTS), trained(LOSSES)],
    output:
        weights=WEIGHTS,
        history=LOSSES,
    log:
        "<results>/logs/restore/train/{model}_place.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        folder=folder_of,
    message:
        "put the weights of {wildcards.model} in place"
    shell:
        PUT_IN_PLACE


rule curves:
    input:
        collect(rules.place_dncnn.output.history, model=MODELS),
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
        code=code_revision("restore.training.curves"),
    message:
        "draw training curves"
    shell:
        "restore curves {input:q} --out {output:q} > {log:q} 2>&1"
