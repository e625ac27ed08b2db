# DnCNN-S with and without residual learning and batch normalisation: snakemake ablation
ABLATION = RESTORE["ablation"]
ABLATION_DEGRADATION = f"noise:{ABLATION['sigma']}"
ABLATION_TRAINED, ABLATION_TESTED = {}, {}
for images in RESTORE["train_images"]:
    enter(images, ABLATION_TRAINED, "restore.train_images")
for images in RESTORE["test_images"]:
    enter(images, ABLATION_TESTED, "restore.test_images")
ABLATION_RUN = "<results>/restore/ablation/{optimizer}/{model}"
ABLATION_WEIGHTS = f"{ABLATION_RUN}/seed{config['seed']}.safetensors"
ABLATION_LOSSES = f"{ABLATION_RUN}/seed{config['seed']}.csv"
ABLATION_RUNS = {
    "optimizer": ABLATION["optimizers"],
    "model": [
        f"dncnn-s-{ABLATION['sigma']}{normalised}{learns}"
        for normalised in ("", "-nobn")
        for learns in ("", "-direct")
    ],
}
ABLATION_LABELS = {"set": "", "degradation": ABLATION_DEGRADATION}


wildcard_constraints:
    optimizer=one_of(ABLATION["optimizers"]),


use rule train_dncnn as train_ablation with:
    input:
        images=files_of(ABLATION_TRAINED) + files_of(ABLATION_TESTED),
        schedule=schedule_file(RESTORE["schedule"]),
        teachers=teachers_of(RESTORE["schedule"]),
    output:
        weights=trained(ABLATION_WEIGHTS),
        history=trained(ABLATION_LOSSES),
    log:
        "<results>/logs/restore/ablation/{optimizer}/{model}.log",
    benchmark:
        "<results>/logs/restore/ablation/{optimizer}/{model}.benchmark.tsv"
    params:
        images=images_of(ABLATION_TRAINED, "images"),
        apart=images_of(ABLATION_TESTED, "apart-from"),
        optimizer=lambda w: f"--optimizer={w.optimizer}",
    message:
        "train {wildcards.model} by {wildcards.optimizer}"


use rule place_dncnn as place_ablation with:
    input:
        files=[trained(ABLATION_WEIGHTS), trained(ABLATION_LOSSES)],
    output:
        weights=ABLATION_WEIGHTS,
        history=ABLATION_LOSSES,
    log:
        "<results>/logs/restore/ablation/{optimizer}/{model}_place.log",
    message:
        "put the weights of {wildcards.model} by {wildcards.optimizer} in place"


use rule benchmark as benchmark_ablation with:
    input:
        images=lambda w: TEST_SETS[w.set]["files"],
        degraded=lambda w: collect(
            DEGRADED, color="", set=w.set, degradation=ABLATION_DEGRADATION
        ),
        weights=ABLATION_WEIGHTS,
    output:
        f"{ABLATION_RUN}/{{set}}/{{kind}}.csv",
    log:
        "<results>/logs/restore/ablation/{optimizer}/{model}/{set}/{kind}.log",
    benchmark:
        "<results>/logs/restore/ablation/{optimizer}/{model}/{set}/{kind}.benchmark.tsv"
    resources:
        **COMPUTE,
        mem_mb=scaled(3000),
        runtime=240,
    params:
        degradations=f"--degradation={ABLATION_DEGRADATION}",
    message:
        "score {wildcards.model} by {wildcards.optimizer} on {wildcards.set}, {wildcards.kind}"


rule compare_ablation:
    input:
        weights=collect(ABLATION_WEIGHTS, **ABLATION_RUNS),
        scores=collect(
            f"{ABLATION_RUN}/{{set}}/noise.csv",
            set=ABLATION_TESTED,
            **ABLATION_RUNS,
        ),
    output:
        table="<results>/restore/ablation.csv",
        picture=report(
            "<results>/restore/ablation.png",
            caption="../report/ablation.rst",
            category="Images",
            subcategory="Ablation",
            labels=ABLATION_LABELS | {"picture": "losses and PSNR"},
        ),
    log:
        "<results>/logs/restore/ablation.log",
    conda:
        ENVIRONMENT
    params:
        scores=lambda w, input: [f"--scores={scores}" for scores in input.scores],
        folder=lambda w, output: Path(output.table).parent,
        schedule=RESTORE["schedule"],
        code=code_revision("restore.evaluation.ablation"),
    message:
        "compare the networks of the ablation"
    shell:
        "restore ablation {input.weights:q} {params.scores:q} --out {params.folder:q}"
        " > {log:q} 2>&1"


rule table_ablation:
    input:
        "<results>/restore/ablation.csv",
    output:
        report(
            "<results>/restore/ablation.html",
            caption="../report/ablation.rst",
            category="Images",
            subcategory="Ablation",
            labels=ABLATION_LABELS | {"picture": "table"},
        ),
    log:
        "<results>/logs/restore/ablation_table.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        schedule=RESTORE["schedule"],
        note=f"Networks learned with the schedule: {RESTORE['schedule']}.",
        code=code_revision("engine.tables"),
    message:
        "lay out the table of the ablation"
    shell:
        "python -m engine.tables {input:q} {output:q}"
        " --caption 'DnCNN-S with and without residual learning and batch normalisation'"
        " --note {params.note:q} > {log:q} 2>&1"


# A target of its own, and no part of `all`: four trainings an optimizer.
rule ablation:
    input:
        rules.compare_ablation.output,
        rules.table_ablation.output,
