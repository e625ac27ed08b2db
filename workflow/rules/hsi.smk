# Scenes: reduce their spectra, and split their labels.
from hsi.classifiers.catalogue import entry, names, networks

HSI = config["hsi"]
SCENES = HSI["scenes"]
SPLITS = named_splits(HSI["splits"], "hsi.splits")
# Networks learn in steps on the reduced scene; controls are fitted at once.
NETWORKS = networks()
CONTROLS = [name for name in names() if name not in NETWORKS]
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


rule picture_scene:
    input:
        lambda w: source_files(SCENES[w.scene]["cube"]),
    output:
        report(
            "<results>/hsi/{scene}/scene.png",
            caption="../report/scene.rst",
            category="Scenes",
            subcategory="Maps",
            labels={
                "scene": "{scene}",
                "split": "",
                "classifier": "",
                "seed": "",
                "picture": "scene in false colour",
            },
        ),
    log:
        "<results>/logs/hsi/{scene}/picture.log",
    conda:
        ENVIRONMENT
    params:
        scene=lambda w: SCENES[w.scene]["cube"],
        code=code_revision("hsi.scenes.false_colour"),
    message:
        "draw {wildcards.scene} in false colour"
    shell:
        "hsi picture {params.scene:q} {output:q} > {log:q} 2>&1"


rule view_scene:
    input:
        lambda w: source_files(*SCENES[w.scene].values()),
    output:
        "<results>/hsi/{scene}/view.npz",
    log:
        "<results>/logs/hsi/{scene}/view.log",
    conda:
        ENVIRONMENT
    params:
        scene=lambda w: SCENES[w.scene]["cube"],
        labels=lambda w: f"--labels={SCENES[w.scene]['labels']}",
        code=code_revision("hsi.views.scene_view"),
    message:
        "make {wildcards.scene} small for the results page"
    shell:
        "hsi look {params.scene:q} {params.labels:q} --out {output:q} > {log:q} 2>&1"


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
        code=code_revision(
            "hsi.features.pca", "hsi.features.components", "hsi.scenes.scene"
        ),
    message:
        "reduce {wildcards.scene} to principal components"
    shell:
        "hsi reduce {params.scene:q} {output:q} --components {params.components} > {log:q} 2>&1"


rule split:
    input:
        labels=lambda w: source_files(SCENES[w.scene]["labels"]),
        scene=lambda w: source_files(SCENES[w.scene]["cube"]),
        mask=lambda w: split_files(SPLITS[w.split]),
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
        **split_params(SPLITS),
        labels=lambda w: SCENES[w.scene]["labels"],
        window=HSI["window"],
        code=code_revision("hsi.splits.split", "hsi.scenes.labels", "hsi.figures"),
    message:
        "split {wildcards.scene}: {wildcards.split}, seed {wildcards.seed}"
    shell:
        "hsi split {params.labels:q} --how {params.how:q} --name {wildcards.split:q}"
        " --seed {wildcards.seed} --window {params.window} {params.labels_of:q}"
        " {params.scene:q}"
        " --out {output.split:q} > {log:q} 2>&1"
