# Classifiers on a scene as it is and denoised: snakemake denoise_then_classify
ARMS = HSI["denoise_then_classify"]
ARM_FILES = ["raw", *ARMS["arms"]]
ARM_SPLITS = named_splits(ARMS["splits"], "hsi.denoise_then_classify.splits")
ARM_CUBES = "<results>/hsi/{scene}/denoise_then_classify/{noise}/seed{seed}"
ARM_RUN = "<results>/hsi/{scene}/denoise_then_classify/{noise}/{split}/{classifier}_seed{seed}"
ARM_TABLE = "<results>/hsi/denoise_then_classify"


wildcard_constraints:
    noise=one_of(ARMS["noises"]),


use rule split as split_for_arms with:
    input:
        labels=lambda w: source_files(SCENES[w.scene]["labels"]),
        scene=lambda w: source_files(SCENES[w.scene]["cube"]),
        mask=lambda w: split_files(ARM_SPLITS[w.split]),
    output:
        split="<results>/hsi/{scene}/denoise_then_classify/{split}_seed{seed}.npz",
    log:
        "<results>/logs/hsi/{scene}/denoise_then_classify/{split}_seed{seed}.log",
    params:
        **split_params(ARM_SPLITS),


rule denoise_arms:
    input:
        lambda w: source_files(SCENES[w.scene]["cube"]),
    output:
        [
            temp(f"{ARM_CUBES}/{arm}.{suffix}")
            for arm in ARM_FILES
            for suffix in ("hdr", "img")
        ],
    log:
        "<results>/logs/hsi/{scene}/denoise_then_classify/{noise}/seed{seed}.log",
    benchmark:
        "<results>/logs/hsi/{scene}/denoise_then_classify/{noise}/seed{seed}.benchmark.tsv"
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=scaled(8000),
        runtime=240,
    params:
        scene=lambda w: SCENES[w.scene]["cube"],
        methods=[f"--method={name}" for name in ARMS["arms"]],
        folder=lambda w, output: Path(output[0]).parent,
        code=code_revision("hsi.denoising.comparison.arms"),
    message:
        "denoise {wildcards.scene}, {wildcards.noise}, seed {wildcards.seed}"
    shell:
        f"{TAKE_GPU}"
        "hsi denoise-arms {params.scene:q} --noise {wildcards.noise:q} {params.methods:q}"
        " --seed {wildcards.seed} --device {resources.device} --out {params.folder:q}"
        " > {log:q} 2>&1"


rule classify_arms:
    input:
        labels=lambda w: source_files(SCENES[w.scene]["labels"]),
        arms=arm_files("hdr"),
        values=arm_files("img"),
        split="<results>/hsi/{scene}/denoise_then_classify/{split}_seed{seed}.npz",
        schedule=lambda w: schedule_file(schedule_of(w)),
    output:
        f"{ARM_RUN}.csv",
    log:
        "<results>/logs/hsi/{scene}/denoise_then_classify/{noise}/{split}/{classifier}_seed{seed}.log",
    benchmark:
        "<results>/logs/hsi/{scene}/denoise_then_classify/{noise}/{split}/{classifier}_seed{seed}.benchmark.tsv"
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=scaled(8000),
        runtime=1440,
    params:
        labels=lambda w: SCENES[w.scene]["labels"],
        schedule=schedule_of,
        window=HSI["window"],
        components=HSI["components"],
        code=code_revision("hsi.evaluation.arms"),
    message:
        "{wildcards.classifier} on {wildcards.scene} denoised, {wildcards.noise}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        f"{TAKE_GPU}"
        "hsi classify-arms {input.arms:q} --labels {params.labels:q} --split {input.split:q}"
        " --classifier {wildcards.classifier} --name {wildcards.scene:q}"
        " --noise {wildcards.noise:q} --schedule {params.schedule:q} --window {params.window}"
        " --components {params.components} --seed {wildcards.seed} --device {resources.device}"
        " --out {output:q} > {log:q} 2>&1"


rule arms_summary:
    input:
        collect(
            f"{ARM_RUN}.csv",
            scene=SCENES,
            noise=ARMS["noises"],
            split=ARM_SPLITS,
            classifier=ARMS["classifiers"],
            seed=ARMS["draws"],
        ),
    output:
        rows=f"{ARM_TABLE}.csv",
        means=f"{ARM_TABLE}_means.csv",
        pictures=report(
            collect(f"{ARM_TABLE}_{{scene}}.png", scene=SCENES),
            caption="../report/arms.rst",
            category="Scenes",
            subcategory="Denoise, then classify",
            labels={"table": "gain in OA by noise"},
        ),
    log:
        "<results>/logs/hsi/denoise_then_classify.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        code=code_revision("hsi.evaluation.gains"),
    message:
        "collect the accuracies of scenes as they are and denoised"
    shell:
        "hsi arms-summary {input:q} --out {output.rows:q} > {log:q} 2>&1"


rule table_arms:
    input:
        f"{ARM_TABLE}_means.csv",
    output:
        report(
            f"{ARM_TABLE}.html",
            caption="../report/arms.rst",
            category="Scenes",
            subcategory="Denoise, then classify",
            labels={"table": "accuracies and gains"},
        ),
    log:
        "<results>/logs/hsi/denoise_then_classify_table.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        code=code_revision("engine.tables"),
    message:
        "lay out the accuracies of scenes as they are and denoised"
    shell:
        "python -m engine.tables {input:q} {output:q}"
        " --caption 'Classifiers on scenes as they are and denoised' > {log:q} 2>&1"


# A target of its own, and no part of `all`: a training an arm, classifier, noise, split and draw.
rule denoise_then_classify:
    input:
        rules.arms_summary.output,
        rules.table_arms.output,
