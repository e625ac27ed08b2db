# Scenes that are only mapped, with models that are there: at once, or in strips that are joined.
MAPS = HSI["maps"]
MAP = "<results>/maps/{map}"
MAP_LABELS = {
    "scene": "{map}",
    "split": "",
    "classifier": "",
    "seed": "",
    "picture": "map",
}


wildcard_constraints:
    map=one_of(MAPS),
    strip=r"\d+-of-\d+",


# Snakemake removes the outputs that it knows of; --overwrite is for those beside them.
rule map_strip:
    input:
        scene=lambda w: source_files(MAPS[w.map]["scene"]),
        model=lambda w: MAPS[w.map]["model"],
    output:
        map=f"{MAP}/strips/{{strip}}.npy",
        about=f"{MAP}/strips/{{strip}}.json",
    log:
        "<results>/logs/maps/{map}/{strip}.log",
    benchmark:
        "<results>/logs/maps/{map}/{strip}.benchmark.tsv"
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=map_memory,
        memory=lambda w: MAPS[w.map]["memory"] or "auto",
        runtime=1440,
    params:
        scene=lambda w: MAPS[w.map]["scene"],
        strip=lambda w: w.strip.replace("-of-", "/"),
        options=map_options,
        code=code_revision("hsi.maps.classify"),
    message:
        "map {wildcards.map}, strip {params.strip}"
    shell:
        f"{TAKE_GPU}"
        "hsi classify {params.scene:q} {input.model:q} {output.map:q} --strip {params.strip}"
        " {params.options:q} --memory={resources.memory:q} --overwrite"
        " --device {resources.device} > {log:q} 2>&1"


rule map_scene:
    input:
        scene=lambda w: source_files(MAPS[w.map]["scene"]),
        model=lambda w: MAPS[w.map]["model"],
    output:
        about=f"{MAP}/map.json",
        picture=report(
            f"{MAP}/map.png",
            caption="../report/mapped.rst",
            category="Scenes",
            subcategory="Maps",
            labels=MAP_LABELS,
        ),
    log:
        "<results>/logs/maps/{map}.log",
    benchmark:
        "<results>/logs/maps/{map}.benchmark.tsv"
    wildcard_constraints:
        map=one_of(name for name in MAPS if MAPS[name]["strips"] == 1),
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=map_memory,
        memory=lambda w: MAPS[w.map]["memory"] or "auto",
        runtime=1440,
    params:
        scene=lambda w: MAPS[w.map]["scene"],
        folder=lambda w, output: Path(output.about).parent,
        options=map_options,
        code=code_revision("hsi.maps.classify"),
    message:
        "map {wildcards.map}"
    shell:
        f"{TAKE_GPU}"
        "hsi classify {params.scene:q} {input.model:q} {params.folder:q}"
        " {params.options:q} --memory={resources.memory:q} --overwrite"
        " --device {resources.device} > {log:q} 2>&1"


rule join_map:
    input:
        scene=lambda w: source_files(MAPS[w.map]["scene"]),
        model=lambda w: MAPS[w.map]["model"],
        strips=strips_of,
    output:
        about=f"{MAP}/map.json",
        picture=report(
            f"{MAP}/map.png",
            caption="../report/mapped.rst",
            category="Scenes",
            subcategory="Maps",
            labels=MAP_LABELS,
        ),
    log:
        "<results>/logs/maps/{map}.log",
    benchmark:
        "<results>/logs/maps/{map}.benchmark.tsv"
    wildcard_constraints:
        map=one_of(name for name in MAPS if MAPS[name]["strips"] > 1),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(8000),
        runtime=240,
    params:
        scene=lambda w: MAPS[w.map]["scene"],
        folder=lambda w, output: Path(output.about).parent,
        code=code_revision("hsi.maps.join"),
    message:
        "map {wildcards.map}: join its strips"
    shell:
        "hsi join {params.scene:q} {input.model:q} {params.folder:q} {input.strips:q}"
        " --overwrite > {log:q} 2>&1"


rule view_map:
    input:
        scene=lambda w: source_files(MAPS[w.map]["scene"]),
        about=f"{MAP}/map.json",
    output:
        f"{MAP}/view.npz",
    log:
        "<results>/logs/maps/{map}_view.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(4000),
        runtime=240,
    params:
        scene=lambda w: MAPS[w.map]["scene"],
        folder=lambda w, input: Path(input.about).parent,
        code=code_revision("hsi.views.scene_view"),
    message:
        "make the map {wildcards.map} small for the results page"
    shell:
        "hsi look {params.scene:q} {params.folder:q} --out {output:q} > {log:q} 2>&1"


MAPPED = [f"<results>/maps/{name}/map.png" for name in MAPS]
REPORTED += MAPPED
PAGED += collect(f"{MAP}/view.npz", map=MAPS)


# Part of `all`, by the report; alone, for those who train and score nothing.
rule map_scenes:
    input:
        MAPPED,
