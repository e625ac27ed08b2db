# Many classifiers in one table of accuracy, size and cost: snakemake backbones
BACKBONES = HSI["backbones"]
BACKBONE_TABLE = "<results>/hsi/backbones"


rule benchmark_backbones:
    input:
        sources=lambda w: source_files(*SCENES[w.scene].values()),
        split="<results>/hsi/{scene}/{split}/split_seed{seed}.npz",
        candidates=BACKBONES["candidates"] or packaged("hsi/evaluation/backbones.yaml"),
        schedule=schedule_file(HSI["schedule"]),
    output:
        "<results>/hsi/{scene}/{split}/backbones_seed{seed}.csv",
    log:
        "<results>/logs/hsi/{scene}/{split}/backbones_seed{seed}.log",
    benchmark:
        "<results>/logs/hsi/{scene}/{split}/backbones_seed{seed}.benchmark.tsv"
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=scaled(8000),
        runtime=1440,
    params:
        scene=lambda w: list(SCENES[w.scene].values()),
        schedule=HSI["schedule"],
        code=code_revision("hsi.evaluation.benchmark"),
    message:
        "train and score many classifiers on {wildcards.scene}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        f"{TAKE_GPU}"
        "hsi benchmark {params.scene:q} --split {input.split:q}"
        " --candidates {input.candidates:q} --schedule {params.schedule:q}"
        " --device {resources.device} --out {output:q} > {log:q} 2>&1"


rule join_backbones:
    input:
        collect(
            "<results>/hsi/{scene}/{split}/backbones_seed{seed}.csv",
            scene=SCENES,
            split=SPLITS,
            seed=HSI["seeds"],
        ),
    output:
        rows=f"{BACKBONE_TABLE}.csv",
        means=f"{BACKBONE_TABLE}_means.csv",
        picture=report(
            f"{BACKBONE_TABLE}.png",
            caption="../report/backbones.rst",
            category="Scenes",
            subcategory="Backbones",
            labels=PICTURE | {"picture": "accuracy against multiply-adds"},
        ),
    log:
        "<results>/logs/hsi/backbones.log",
    conda:
        ENVIRONMENT
    params:
        code=code_revision("hsi.evaluation.benchmark"),
    message:
        "join the tables of many classifiers"
    shell:
        "hsi benchmark-summary {input:q} --out {output.rows:q} > {log:q} 2>&1"


# A target of its own, and no part of `all`: a training a candidate, split and seed.
rule backbones:
    input:
        f"{BACKBONE_TABLE}_means.csv",
