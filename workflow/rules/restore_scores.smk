# Images: score denoisers, and show what they do.
SCORES = list(
    dict.fromkeys(
        f"<results>/restore/scores/{name}/{degradation.partition(':')[0]}/{model}.csv"
        for name in TEST_SETS
        for model in TESTED
        for degradation in TESTED[model].get(name, [])
    )
)
STRIPS = list(
    dict.fromkeys(
        f"<results>/restore/strips{colour(model)}/{name}/{degradation}.png"
        for name in TEST_SETS
        for model in [*MODELS, *SHIPPED]
        for degradation in TESTED[model].get(name, [])
    )
)


wildcard_constraints:
    kind="[a-z]+",


# One process for all degradations of a kind; the command keeps what it has scored, so that another
# degradation scores that one alone.
rule benchmark:
    input:
        images=lambda w: TEST_SETS[w.set]["files"],
        degraded=lambda w: collect(
            DEGRADED, color=colour(w.model), set=w.set, degradation=of_kind(w)
        ),
        weights=lambda w: WEIGHTS if w.model in MODELS else SHIPPED.get(w.model, []),
    output:
        "<results>/restore/scores/{set}/{kind}/{model}.csv",
    log:
        "<results>/logs/restore/benchmark/{set}/{kind}/{model}.log",
    benchmark:
        "<results>/logs/restore/benchmark/{set}/{kind}/{model}.benchmark.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=lambda w: COMPUTE["gpu"] * (w.model not in BASELINES),
        device=lambda w: "cpu" if w.model in BASELINES else COMPUTE["device"],
        mem_mb=scaled(3000),
        runtime=240,
    params:
        model=lambda w, input: input.weights or w.model,
        images=lambda w: TEST_SETS[w.set]["images"],
        degraded=lambda w, input: Path(input.degraded[0]).parents[1],
        degradations=lambda w: [f"--degradation={found}" for found in of_kind(w)],
        kept=lambda w, output: Path(output[0]).parent / ".kept" / w.model,
        seed=config["seed"],
        code=code_revision("restore.evaluation.benchmark"),
    message:
        "score {wildcards.model} on {wildcards.set}, {wildcards.kind}"
    shell:
        f"{TAKE_GPU}"
        "restore benchmark --model {params.model:q} --images {params.images:q}"
        " --degraded {params.degraded:q} {params.degradations:q} --kept {params.kept:q}"
        " --seed {params.seed} --device {resources.device} --out {output:q} > {log:q} 2>&1"


rule restore_summary:
    input:
        scores=SCORES + PAIR_SCORES,
        weights=list(
            dict.fromkeys(
                [*collect(WEIGHTS, model=MODELS), *SHIPPED.values()]
                + weights_in_pairs(
                    [m for test in PAIRS.values() for m in test["methods"]]
                )
            )
        ),
        published=packaged("restore/evaluation/published.csv"),
    output:
        rows="<results>/restore/psnr_ssim.csv",
        means="<results>/restore/psnr_ssim_summary.csv",
    log:
        "<results>/logs/restore/summary.log",
    conda:
        ENVIRONMENT
    params:
        folder=lambda w, output: Path(output.rows).parent,
        models=lambda w, input: [f"--model={weights}" for weights in input.weights],
        code=code_revision("restore.evaluation.summary"),
    message:
        "join the scores of images"
    shell:
        "restore summary {input.scores:q} {params.models:q} --out {params.folder:q} > {log:q} 2>&1"


rule strip:
    input:
        images=lambda w: TEST_SETS[w.set]["files"],
        degraded=DEGRADED,
        weights=lambda w: collect(WEIGHTS, model=shown(MODELS, w))
        + [SHIPPED[name] for name in shown(SHIPPED, w)],
    output:
        panels=directory("<results>/restore/strips{color}/{set}/{degradation}.panels"),
        picture=report(
            "<results>/restore/strips{color}/{set}/{degradation}.png",
            caption="../report/strip.rst",
            category="Images",
            subcategory="Before and after",
            labels={
                "picture": "strip{color}",
                "set": "{set}",
                "degradation": "{degradation}",
            },
        ),
    log:
        "<results>/logs/restore/strip{color}/{set}/{degradation}.log",
    conda:
        ENVIRONMENT
    resources:
        **COMPUTE,
    params:
        models=lambda w, input: [
            f"--model={model}" for model in shown(BASELINES, w) + list(input.weights)
        ],
        images=lambda w: TEST_SETS[w.set]["images"],
        degraded=lambda w, input: Path(input.degraded).parents[1],
        seed=config["seed"],
        trained=lambda w: shown(MODELS, w),  # this one and the next two for the caption
        shipped=lambda w: shown(SHIPPED, w),
        schedule=RESTORE["schedule"],
        code=code_revision("restore.evaluation.figures"),
    message:
        "draw{wildcards.color} {wildcards.set}, {wildcards.degradation}"
    shell:
        f"{TAKE_GPU}"
        "restore compare {params.models:q} --images {params.images:q}"
        " --degraded {params.degraded:q} --degradation {wildcards.degradation}"
        " --seed {params.seed} --device {resources.device} --out {output.picture:q}"
        " --panels {output.panels:q} > {log:q} 2>&1"


if SCORES + PAIR_SCORES:  # a run may only denoise folders
    TABLES |= {
        "restore/psnr_ssim_summary": "PSNR and SSIM, means over each set",
        "restore/psnr_ssim": "PSNR and SSIM of each image",
    }
PAGED += [strip.removesuffix(".png") + ".panels" for strip in STRIPS]
PAGED += collect(LOSSES, model=MODELS)
REPORTED += STRIPS + ["<results>/restore/curves.png"] * bool(MODELS)
