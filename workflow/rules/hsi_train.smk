# Scenes: train classifiers.
NETWORK_FILES = ("model.safetensors", "train.csv", "train.png")
TRAINING_LOG = "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_train.log"


rule train_network:
    input:
        sources=lambda w: source_files(*SCENES[w.scene].values()),
        reduced=reduced_scene,
        split="<results>/hsi/{scene}/{split}/split_seed{seed}.npz",
        schedule=lambda w: schedule_file(schedule_of(w)),
    output:
        [trained(f"{RUN}/{name}") for name in NETWORK_FILES],
    log:
        TRAINING_LOG,
    benchmark:
        "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_train.benchmark.tsv"
    wildcard_constraints:
        classifier=one_of(NETWORKS),
    priority: 1
    conda:
        ENVIRONMENT
    threads: TRAINING_THREADS
    resources:
        **COMPUTE,
        mem_mb=scaled(8000),
        runtime=1440,
    params:
        kept=kept_by_command,
        placed=in_place,
        folder=folder_of,
        scene=lambda w: list(SCENES[w.scene].values()),
        schedule=schedule_of,
        reduced=lambda w, input: f"--reduced={input.reduced}" if input.reduced else [],
        window=lambda w: (
            f"--window={HSI['window']}" if entry(w.classifier).takes_window else []
        ),
        code=code_revision("hsi.classifiers.train"),
    message:
        "train {wildcards.classifier} on {wildcards.scene}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        f"{TAKE_GPU}{RECALL}"
        f"{{{{ {WIDE}"
        "hsi train {params.scene:q} --classifier {wildcards.classifier}"
        " --split {input.split:q} {params.reduced:q} {params.window}"
        " --schedule {params.schedule:q} --seed {wildcards.seed} --device {resources.device}"
        " --log {params.kept[1]:q} --out {params.kept[0]:q}"
        f"{HAND_ON}"
        "; }} > {log:q} 2>&1"


rule train_control:
    input:
        sources=lambda w: source_files(*SCENES[w.scene].values()),
        split="<results>/hsi/{scene}/{split}/split_seed{seed}.npz",
    output:
        trained(f"{RUN}/model.safetensors"),
    log:
        TRAINING_LOG,
    benchmark:
        "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_train.benchmark.tsv"
    wildcard_constraints:
        classifier=one_of(CONTROLS),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(8000),
        runtime=240,
    params:
        kept=kept_by_command,
        folder=folder_of,
        scene=lambda w: list(SCENES[w.scene].values()),
        code=code_revision("hsi.classifiers.train"),
    message:
        "fit {wildcards.classifier} on {wildcards.scene}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        "{{ hsi train {params.scene:q} --classifier {wildcards.classifier}"
        " --split {input.split:q} --seed {wildcards.seed} --device cpu"
        " --out {params.kept:q}"
        f"{HAND_ON}"
        "; }} > {log:q} 2>&1"


rule place_control:
    input:
        files=trained(f"{RUN}/model.safetensors"),
    output:
        f"{RUN}/model.safetensors",
    log:
        "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_place.log",
    wildcard_constraints:
        classifier=one_of(CONTROLS),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        folder=folder_of,
    message:
        "put {wildcards.classifier} for {wildcards.scene}, {wildcards.split}, seed {wildcards.seed} in place"
    shell:
        PUT_IN_PLACE


use rule place_control as place_network with:
    input:
        files=[trained(f"{RUN}/{name}") for name in NETWORK_FILES],
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
    wildcard_constraints:
        classifier=one_of(NETWORKS),
    params:
        schedule=schedule_of,  # for the caption
