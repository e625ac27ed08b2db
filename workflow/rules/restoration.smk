# Denoisers of cubes, compared on degraded scenes.
RESTORATION = HSI["restoration"]
RESTORED = "<results>/hsi/restoration/{restored}/{cube_degradation}/seed{seed}"
CUBE_DEGRADATIONS = RESTORATION["degradations"]


wildcard_constraints:
    restored=one_of(RESTORATION["scenes"]),
    cube_degradation=one_of(CUBE_DEGRADATIONS),


rule compare_denoisers:
    input:
        lambda w: source_files(RESTORATION["scenes"][w.restored]),
    output:
        table=f"{RESTORED}.csv",
        picture=(
            report(
                f"{RESTORED}.png",
                caption="../report/restoration.rst",
                category="Scenes",
                subcategory="Denoising",
                labels={
                    "scene": "{restored}",
                    "degradation": "{cube_degradation}",
                    "seed": "{seed}",
                },
            )
            if "denoise" in RESTORATION["methods"]
            else []
        ),
    log:
        "<results>/logs/hsi/restoration/{restored}/{cube_degradation}/seed{seed}.log",
    benchmark:
        "<results>/logs/hsi/restoration/{restored}/{cube_degradation}/seed{seed}.benchmark.tsv"
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=scaled(8000),
        runtime=240,
    params:
        scene=lambda w: RESTORATION["scenes"][w.restored],
        methods=[f"--method={name}" for name in RESTORATION["methods"]],
        rank=RESTORATION["rank"],
        code=code_revision("hsi.denoising.comparison.benchmark"),
    message:
        "compare denoisers on {wildcards.restored}, {wildcards.cube_degradation}, seed {wildcards.seed}"
    shell:
        f"{TAKE_GPU}"
        "hsi denoise-benchmark {params.scene:q} {wildcards.cube_degradation:q} {params.methods:q}"
        " --rank {params.rank} --name {wildcards.restored:q} --seed {wildcards.seed}"
        " --device {resources.device} --out {output.table:q} > {log:q} 2>&1"


rule restoration_table:
    input:
        collect(
            f"{RESTORED}.csv",
            restored=RESTORATION["scenes"],
            cube_degradation=CUBE_DEGRADATIONS,
            seed=RESTORATION["seeds"],
        ),
    output:
        rows="<results>/hsi/restoration.csv",
        means="<results>/hsi/restoration_means.csv",
    log:
        "<results>/logs/hsi/restoration.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        code=code_revision("hsi.denoising.comparison.benchmark"),
    message:
        "collect the scores of denoisers of cubes"
    shell:
        "hsi denoise-summary {input:q} --out {output.rows:q} > {log:q} 2>&1"


if RESTORATION["scenes"]:
    TABLES["hsi/restoration_means"] = "Denoisers of cubes, means over seeds"
    if "denoise" in RESTORATION["methods"]:
        REPORTED += collect(
            f"{RESTORED}.png",
            restored=RESTORATION["scenes"],
            cube_degradation=CUBE_DEGRADATIONS,
            seed=RESTORATION["seeds"][:1],
        )


# Part of `all`, by the report; alone, for those who classify nothing.
rule denoisers:
    input:
        "<results>/hsi/restoration.csv" if RESTORATION["scenes"] else [],
