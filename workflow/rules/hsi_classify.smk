# Scenes: train classifiers, and map the whole scene.


rule train_network:
    input:
        sources=lambda w: source_files(*SCENES[w.scene].values()),
        reduced=reduced_scene,
        split="<results>/hsi/{scene}/{split}/split_seed{seed}.npz",
        schedule=lambda w: schedule_file(schedule_of(w)),
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
        schedule=schedule_of,
        reduced=lambda w, input: f"--reduced={input.reduced}" if input.reduced else [],
        # A network of a window of its own has the side of it in its name.
        window=lambda w: (
            []
            if w.classifier[-1].isdigit() or w.classifier in ALL_ITS_OWN
            else f"--window={HSI['window']}"
        ),
        code=code_revision("hsi.classifiers.train"),
    message:
        "train {wildcards.classifier} on {wildcards.scene}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        "hsi train {params.scene:q} --classifier {wildcards.classifier} --split {input.split:q}"
        " {params.reduced:q} {params.window} --schedule {params.schedule:q}"
        " --seed {wildcards.seed}"
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
        code=code_revision("hsi.classifiers.train"),
    message:
        "fit {wildcards.classifier} on {wildcards.scene}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        "hsi train {params.scene:q} --classifier {wildcards.classifier} --split {input.split:q}"
        " --seed {wildcards.seed} --device cpu --out {output:q} > {log:q} 2>&1"


rule classify:
    input:
        sources=lambda w: source_files(SCENES[w.scene]["cube"]),
        reduced=reduced_scene,
        model=f"{RUN}/model.safetensors",
    output:
        map=f"{RUN}/map.npy",
        about=f"{RUN}/map.json",
        picture=report(
            f"{RUN}/map.png",
            caption="../report/map.rst",
            category="Scenes",
            subcategory="Maps",
            labels=PICTURE | {"picture": "map of the whole scene"},
        ),
    log:
        "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_classify.log",
    benchmark:
        "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_classify.benchmark.tsv"
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=8000,
        runtime=240,
    params:
        scene=lambda w: SCENES[w.scene]["cube"],
        reduced=lambda w, input: f"--reduced={input.reduced}" if input.reduced else [],
        code=code_revision("hsi.maps.classify", "hsi.figures"),
    message:
        "map {wildcards.scene} by {wildcards.classifier}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        "hsi classify {params.scene:q} {input.model:q} {output.map:q} {params.reduced:q}"
        " --device {resources.device} > {log:q} 2>&1"
