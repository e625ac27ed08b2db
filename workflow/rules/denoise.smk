# Images: denoise folders, each in jobs of some hundred images that load their models once.
import re

JOINED = "{clean}/.shards/joined"


wildcard_constraints:
    clean="|".join(map(re.escape, DENOISE)) or "(?!)",
    shard=r"\d+-of-\d+",


# The command keeps its own account of what is done, of which input, by which weights and options:
# that is what resumes, and what Snakemake must not remove. The marker says that no image failed.
rule denoise:
    input:
        weights=lambda w: DENOISE[w.clean]["weights"],
    output:
        touch("{clean}/.shards/{shard}"),
    log:
        "<results>/logs/restore/denoise{clean}/{shard}.log",
    benchmark:
        "<results>/logs/restore/denoise{clean}/{shard}.benchmark.tsv"
    conda:
        ENVIRONMENT
    threads: COMPUTE_THREADS
    resources:
        **COMPUTE,
        mem_mb=scaled(6000),
        runtime=480,
    params:
        images=images_in,
        source=lambda w: DENOISE[w.clean]["input"],
        model=lambda w: DENOISE[w.clean]["model"],
        weights=lambda w: DENOISE[w.clean]["read"],
        options=options_of,
        # With an argument that Snakemake derives, a change of it alone runs nothing.
        listed=lambda w, output: listed_by(w),
        shard=lambda w, output: w.shard.replace("-of-", "/"),
    message:
        "denoise {params.source}, part {params.shard}"
    shell:
        f"{TAKE_GPU}"
        "restore denoise {params.source:q} {wildcards.clean:q} --shard {params.shard} --refresh"
        " --model {params.model:q} {params.options:q} {params.listed:q}"
        " --device {resources.device} > {log:q} 2>&1"


rule join_journals:
    input:
        parts=lambda w: collect(
            "{clean}/.shards/{shard}",
            clean=w.clean,
            shard=DENOISE[w.clean]["shards"],
        ),
    output:
        touch(JOINED),
    log:
        "<results>/logs/restore/denoise{clean}/join.log",
    benchmark:
        "<results>/logs/restore/denoise{clean}/join.benchmark.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        source=lambda w: DENOISE[w.clean]["input"],
    message:
        "join the journals of {params.source}"
    shell:
        "restore join {wildcards.clean:q} > {log:q} 2>&1"


DENOISED += collect(JOINED, clean=DENOISE)


# Part of `all`; alone, for those who train and score nothing.
rule denoise_folders:
    input:
        DENOISED,
