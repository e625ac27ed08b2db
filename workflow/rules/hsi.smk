# Scenes: reduce, split, train classifiers, map, score.
HSI = config["hsi"]
SCENES = HSI["scenes"]
# A published mask is called after its file: mask:folder/dase.mat is mask:dase.
SPLITS = {
    f"mask:{file_of(how[5:]).stem}" if how[:5] == "mask:" else how: how
    for how in HSI["splits"]
}
NETWORKS = [
    "hybridsn"
]  # they learn in steps on the reduced scene; the others are fitted at once
RUN = "<results>/hsi/{scene}/{split}/{classifier}/seed{seed}"
PICTURE = {
    "scene": "{scene}",
    "split": "{split}",
    "classifier": "{classifier}",
    "seed": "{seed}",
}


wildcard_constraints:
    scene="[^/]+",
    split="[^/]+",
    classifier="[^/]+",
    seed=r"\d+",


rule reduce:
    input:
        lambda w: source_files(SCENES[w.scene]["cube"]),
    output:
        "<results>/hsi/{scene}/reduced.npz",
    log:
        "<results>/logs/hsi/{scene}/reduce.log",
    conda:
        ENVIRONMENT
    params:
        scene=lambda w: SCENES[w.scene]["cube"],
        components=HSI["components"],
        code=code_revision("hsi.reduce", "hsi.scene"),
    message:
        "reduce {wildcards.scene} to principal components"
    shell:
        "hsi reduce {params.scene:q} {output:q} --components {params.components} > {log:q} 2>&1"


rule split:
    input:
        labels=lambda w: source_files(SCENES[w.scene]["labels"]),
        mask=lambda w: source_files(SPLITS[w.split].partition(":")[2]),
    output:
        split="<results>/hsi/{scene}/{split}/split_seed{seed}.npz",
        picture=report(
            "<results>/hsi/{scene}/{split}/split_seed{seed}.png",
            caption="../report/split.rst",
            category="Scenes",
            subcategory="Splits",
            labels=PICTURE | {"classifier": "", "picture": "split"},
        ),
    log:
        "<results>/logs/hsi/{scene}/{split}/split_seed{seed}.log",
    conda:
        ENVIRONMENT
    params:
        labels=lambda w: SCENES[w.scene]["labels"],
        how=lambda w: SPLITS[w.split],
        window=HSI["window"],
        code=code_revision("hsi.splits", "hsi.labels"),
    message:
        "split {wildcards.scene}: {wildcards.split}, seed {wildcards.seed}"
    shell:
        "hsi split {params.labels:q} --how {params.how:q} --name {wildcards.split:q}"
        " --seed {wildcards.seed} --window {params.window} --out {output.split:q} > {log:q} 2>&1"


rule train_network:
    input:
        sources=lambda w: source_files(*SCENES[w.scene].values()),
        reduced="<results>/hsi/{scene}/reduced.npz",
        split="<results>/hsi/{scene}/{split}/split_seed{seed}.npz",
        schedule=schedule_file(HSI["schedule"]),
    output:
        model=f"{RUN}/model.safetensors",
        history=f"{RUN}/train.csv",
        picture=report(
            f"{RUN}/train.png",
            caption="../report/curves.rst",
            category="Scenes",
            subcategory="Training",
            labels=PICTURE | {"picture": "training curve"},
        ),
    log:
        "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_train.log",
    benchmark:
        "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_train.benchmark.tsv"
    wildcard_constraints:
        classifier="|".join(NETWORKS),
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=8000,
        runtime=1440,
    params:
        scene=lambda w: list(SCENES[w.scene].values()),
        schedule=HSI["schedule"],
        code=code_revision("hsi.train", "hsi.hybridsn", "hsi.scene", "hsi.labels"),
    message:
        "train {wildcards.classifier} on {wildcards.scene}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        "hsi train {params.scene:q} --classifier {wildcards.classifier} --split {input.split:q}"
        " --reduced {input.reduced:q} --schedule {params.schedule:q} --seed {wildcards.seed}"
        " --device {resources.device} --log {output.history:q} --out {output.model:q}"
        " > {log:q} 2>&1"


rule train_control:
    input:
        sources=lambda w: source_files(*SCENES[w.scene].values()),
        split="<results>/hsi/{scene}/{split}/split_seed{seed}.npz",
    output:
        f"{RUN}/model.safetensors",
    log:
        "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_train.log",
    benchmark:
        "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_train.benchmark.tsv"
    wildcard_constraints:
        classifier=f"(?!({'|'.join(NETWORKS)})/)[^/]+",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        scene=lambda w: list(SCENES[w.scene].values()),
        code=code_revision("hsi.controls", "hsi.scene", "hsi.labels"),
    message:
        "fit {wildcards.classifier} on {wildcards.scene}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        "hsi train {params.scene:q} --classifier {wildcards.classifier} --split {input.split:q}"
        " --seed {wildcards.seed} --device cpu --out {output:q} > {log:q} 2>&1"
