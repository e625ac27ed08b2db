# Settings of classifiers compared on inner splits of the training pixels: snakemake study
STUDY = HSI["study"]
STUDIED = "<results>/hsi/{scene}/{split}/study"


rule study_settings:
    input:
        sources=lambda w: source_files(*SCENES[w.scene].values()),
        split=f"<results>/hsi/{{scene}}/{{split}}/split_seed{HSI['seeds'][0]}.npz",
        candidates=STUDY["candidates"] or packaged("hsi/evaluation/study.yaml"),
        schedule=schedule_file(HSI["schedule"]),
    output:
        runs=f"{STUDIED}.csv",
        means=f"{STUDIED}_means.csv",
    log:
        "<results>/logs/hsi/{scene}/{split}/study.log",
    benchmark:
        "<results>/logs/hsi/{scene}/{split}/study.benchmark.tsv"
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=scaled(8000),
        runtime=1440,
    params:
        scene=lambda w: list(SCENES[w.scene].values()),
        inner=STUDY["inner"],
        folds=STUDY["folds"],
        window=STUDY["window"],
        schedule=HSI["schedule"],
        seed=HSI["seeds"][0],
        code=code_revision("hsi.evaluation.study"),
    message:
        "compare settings on the training pixels of {wildcards.scene}, {wildcards.split}"
    shell:
        f"{TAKE_GPU}"
        "hsi study {params.scene:q} --split {input.split:q} --candidates {input.candidates:q}"
        " --inner {params.inner} --folds {params.folds} --window {params.window}"
        " --schedule {params.schedule:q} --seed {params.seed} --device {resources.device}"
        " --out {output.runs:q} > {log:q} 2>&1"


rule table_study:
    input:
        f"{STUDIED}_means.csv",
    output:
        report(
            f"{STUDIED}.html",
            caption="../report/study.rst",
            category="Scenes",
            subcategory="Study",
            labels={
                "scene": "{scene}",
                "split": "{split}",
                "table": "settings compared",
            },
        ),
    log:
        "<results>/logs/hsi/{scene}/{split}/study_table.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        note=f"Inner splits: {STUDY['inner']}, {STUDY['folds']} folds, schedule {HSI['schedule']}.",
        code=code_revision("engine.tables"),
    message:
        "lay out the study of {wildcards.scene}, {wildcards.split}"
    shell:
        "python -m engine.tables {input:q} {output:q}"
        " --caption 'Settings compared on the training pixels alone'"
        " --note {params.note:q} > {log:q} 2>&1"


# A target of its own, and no part of `all`: a training a candidate and fold.
rule study:
    input:
        collect(f"{STUDIED}.html", scene=SCENES, split=SPLITS),
