# Scenes, continued: maps of the whole scene, scores, tables.
RUNS = collect(
    RUN, scene=SCENES, split=SPLITS, classifier=HSI["classifiers"], seed=HSI["seeds"]
)


rule classify:
    input:
        sources=lambda w: source_files(SCENES[w.scene]["cube"]),
        reduced=lambda w: (
            "<results>/hsi/{scene}/reduced.npz" if w.classifier in NETWORKS else []
        ),
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
        code=code_revision("hsi.classify", "hsi.maps"),
    message:
        "map {wildcards.scene} by {wildcards.classifier}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        "hsi classify {params.scene:q} {input.model:q} {output.map:q} {params.reduced:q}"
        " --device {resources.device} > {log:q} 2>&1"


rule score:
    input:
        sources=lambda w: source_files(SCENES[w.scene]["labels"]),
        map=f"{RUN}/map.npy",
        about=f"{RUN}/map.json",
        model=f"{RUN}/model.safetensors",
        split="<results>/hsi/{scene}/{split}/split_seed{seed}.npz",
    output:
        scores=f"{RUN}/scores.json",
        classes=f"{RUN}/per_class.csv",
        confusion=f"{RUN}/confusion.csv",
        confusion_picture=report(
            f"{RUN}/confusion.png",
            caption="../report/confusion.rst",
            category="Scenes",
            subcategory="Confusion",
            labels=PICTURE | {"picture": "confusion matrix"},
        ),
        comparison=report(
            f"{RUN}/comparison.png",
            caption="../report/comparison.rst",
            category="Scenes",
            subcategory="Maps",
            labels=PICTURE | {"picture": "ground truth, map, errors"},
        ),
    log:
        "<results>/logs/hsi/{scene}/{split}/{classifier}_seed{seed}_score.log",
    conda:
        ENVIRONMENT
    params:
        labels=lambda w: SCENES[w.scene]["labels"],
        folder=lambda w, output: Path(output.scores).parent,
        code=code_revision("hsi.metrics", "hsi.maps", "hsi.labels"),
    message:
        "score {wildcards.classifier} on {wildcards.scene}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        "hsi score {input.map:q} {params.labels:q} --split {input.split:q}"
        " --model {input.model:q} --out {params.folder:q} > {log:q} 2>&1"


rule hsi_summary:
    input:
        [f"{run}/scores.json" for run in RUNS],
    output:
        classes="<results>/hsi/per_class_accuracy.csv",
        overall="<results>/hsi/overall_accuracy.csv",
        means="<results>/hsi/overall_accuracy_summary.csv",
    log:
        "<results>/logs/hsi/summary.log",
    conda:
        ENVIRONMENT
    params:
        runs=lambda w, input: [Path(scores).parent for scores in input],
        folder=lambda w, output: Path(output.overall).parent,
        code=code_revision("hsi.summary"),
    message:
        "join the scores of scenes"
    shell:
        "hsi summary {params.runs:q} --out {params.folder:q} > {log:q} 2>&1"


TABLES |= {
    "hsi/overall_accuracy_summary": "Accuracy, means over seeds",
    "hsi/overall_accuracy": "Accuracy of each run",
    "hsi/per_class_accuracy": "Accuracy of each class",
}
REPORTED += [
    f"{run}/{picture}.png"
    for run in RUNS
    for picture in ("comparison", "map", "confusion")
]
REPORTED += [f"{run}/train.png" for run in RUNS if run.split("/")[-2] in NETWORKS]
REPORTED += collect(
    "<results>/hsi/{scene}/{split}/split_seed{seed}.png",
    scene=SCENES,
    split=SPLITS,
    seed=HSI["seeds"],
)
