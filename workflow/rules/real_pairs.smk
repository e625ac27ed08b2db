# Images: real noise with its ground truth, as tests of their own beside the made degradations.
wildcard_constraints:
    pairs=one_of(PAIRS),


rule benchmark_pairs:
    input:
        images=lambda w: PAIRS[w.pairs]["files"],
        weights=lambda w: weights_in_pairs([w.model]),
    output:
        "<results>/restore/pairs/{pairs}/{model}.csv",
    log:
        "<results>/logs/restore/pairs/{pairs}/{model}.log",
    benchmark:
        "<results>/logs/restore/pairs/{pairs}/{model}.benchmark.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=lambda w: COMPUTE["gpu"] * (w.model not in BASELINES),
        device=lambda w: "cpu" if w.model in BASELINES else COMPUTE["device"],
        mem_mb=scaled(3000),
        runtime=240,
    params:
        model=lambda w, input: input.weights or w.model,
        options=lambda w: PAIRS[w.pairs]["options"],
        seed=config["seed"],
        choice=lambda w: chosen_from([w.model]),
        code=code_revision("restore.evaluation.benchmark"),
    message:
        "score {wildcards.model} on pairs:{wildcards.pairs}"
    shell:
        f"{TAKE_GPU}"
        "restore benchmark --model {params.model:q} {params.options:q} --seed {params.seed}"
        " --device {resources.device} --out {output:q} > {log:q} 2>&1"


rule strip_of_pairs:
    input:
        images=lambda w: PAIRS[w.pairs]["files"],
        weights=lambda w: weights_in_pairs(PAIRS[w.pairs]["methods"]),
    output:
        panels=directory("<results>/restore/pairs/{pairs}.panels"),
        picture=report(
            "<results>/restore/pairs/{pairs}.png",
            caption="../report/pairs.rst",
            category="Images",
            subcategory="Before and after",
            labels={
                "picture": "strip",
                "set": "{pairs}",
                "degradation": "pairs:{pairs}",
            },
        ),
    log:
        "<results>/logs/restore/pairs/{pairs}_strip.log",
    conda:
        ENVIRONMENT
    resources:
        **COMPUTE,
    params:
        models=lambda w, input: [
            f"--model={model}"
            for model in [
                *(m for m in PAIRS[w.pairs]["methods"] if not weights_in_pairs([m])),
                *input.weights,
            ]
        ],
        options=lambda w: PAIRS[w.pairs]["options"],
        choice=lambda w: chosen_from(PAIRS[w.pairs]["methods"]),
        code=code_revision("restore.evaluation.figures"),
    message:
        "draw pairs:{wildcards.pairs}"
    shell:
        f"{TAKE_GPU}"
        "restore compare {params.models:q} {params.options:q} --device {resources.device}"
        " --out {output.picture:q} --panels {output.panels:q} > {log:q} 2>&1"


PAGED += collect("<results>/restore/pairs/{pairs}.panels", pairs=PAIRS)
REPORTED += collect("<results>/restore/pairs/{pairs}.png", pairs=PAIRS)
