# Scenes: map the whole scene with the classifiers.


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
        gpu=lambda w: COMPUTE["gpu"] * (w.classifier in NETWORKS),
        device=lambda w: COMPUTE["device"] if w.classifier in NETWORKS else "cpu",
        mem_mb=scaled(8000),
        runtime=240,
    params:
        scene=lambda w: SCENES[w.scene]["cube"],
        reduced=lambda w, input: f"--reduced={input.reduced}" if input.reduced else [],
        # For the results page and the calibration error; Snakemake does not know of the file.
        sure=lambda w: (
            ["--confidence"] if entry(w.classifier).has_probabilities else []
        ),
        code=code_revision("hsi.maps.classify", "hsi.figures"),
    message:
        "map {wildcards.scene} by {wildcards.classifier}, {wildcards.split}, seed {wildcards.seed}"
    shell:
        f"{TAKE_GPU}"
        "hsi classify {params.scene:q} {input.model:q} {output.map:q} {params.reduced:q}"
        " {params.sure} --overwrite --device {resources.device} > {log:q} 2>&1"
