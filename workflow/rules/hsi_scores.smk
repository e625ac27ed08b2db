# Scenes: score maps, and join the scores.
RUNS = collect(
    RUN, scene=SCENES, split=SPLITS, classifier=HSI["classifiers"], seed=HSI["seeds"]
)


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
        right=f"{RUN}/right.npy",
        groups=f"{RUN}/groups.npy",
        confusion_picture=report(
            f"{RUN}/confusion.png",
            caption="../report/confusion.rst",
            category="Scenes",
            subcategory="Confusion",
            labels=PICTURE | {"picture": "confusion matrix"},
        ),
        class_picture=report(
            f"{RUN}/classes.png",
            caption="../report/classes.rst",
            category="Scenes",
            subcategory="Classes",
            labels=PICTURE | {"picture": "recall and precision of each class"},
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
        code=code_revision("hsi.evaluation.score", "hsi.scenes.labels"),
    message:
        "score {wildcards.classifier} on {wildcards.scene}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        "hsi score {input.map:q} {params.labels:q} --split {input.split:q}"
        " --model {input.model:q} --name {wildcards.scene:q} --out {params.folder:q}"
        " > {log:q} 2>&1"


rule hsi_summary:
    input:
        scores=[f"{run}/scores.json" for run in RUNS],
        right=[f"{run}/right.npy" for run in RUNS],
        groups=[f"{run}/groups.npy" for run in RUNS],
        published=packaged("hsi/evaluation/published.csv"),
    output:
        classes="<results>/hsi/per_class_accuracy.csv",
        overall="<results>/hsi/overall_accuracy.csv",
        details="<results>/hsi/overall_accuracy_details.csv",
        means="<results>/hsi/overall_accuracy_summary.csv",
        compared="<results>/hsi/mcnemar.csv",
        differences="<results>/hsi/differences.csv",
    log:
        "<results>/logs/hsi/summary.log",
    conda:
        ENVIRONMENT
    params:
        runs=lambda w, input: [Path(scores).parent for scores in input.scores],
        folder=lambda w, output: Path(output.overall).parent,
        code=code_revision("hsi.evaluation.summary"),
    message:
        "join the scores of scenes"
    shell:
        "hsi summary {params.runs:q} --out {params.folder:q} > {log:q} 2>&1"


TABLES |= {
    "hsi/overall_accuracy_summary": "Accuracy, means over seeds",
    "hsi/overall_accuracy": "Accuracy of each run",
    "hsi/per_class_accuracy": "Accuracy of each class",
    "hsi/mcnemar": "Classifiers compared by McNemar's test",
    "hsi/differences": "Differences of classifiers over all seeds, with intervals",
}
# Pictures of the first seed stand for all: of ten seeds the report would be too large to open.
SHOWN = collect(
    RUN,
    scene=SCENES,
    split=SPLITS,
    classifier=HSI["classifiers"],
    seed=HSI["seeds"][:1],
)
REPORTED += [
    f"{run}/{picture}.png"
    for run in SHOWN
    for picture in ("comparison", "map", "confusion", "classes")
]
REPORTED += [f"{run}/train.png" for run in SHOWN if run.split("/")[-2] in NETWORKS]
REPORTED += collect("<results>/hsi/{scene}/scene.png", scene=SCENES)
REPORTED += collect(
    "<results>/hsi/{scene}/{split}/split_seed{seed}.png",
    scene=SCENES,
    split=SPLITS,
    seed=HSI["seeds"][:1],
)
PAGED += collect("<results>/hsi/{scene}/view.npz", scene=SCENES)
PAGED += [f"{run}/map.npy" for run in RUNS]
PAGED += [f"{run}/train.csv" for run in RUNS if run.split("/")[-2] in NETWORKS]
