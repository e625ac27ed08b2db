# Image restoration and scene classification, from images and scenes to tables and a report.
#
# Run it with   .venv/bin/snakemake --configfile config/config.yaml   (what `make demo` does).
from snakemake.utils import min_version

min_version("9.20")


report: "workflow/report/workflow.rst"


include: "workflow/rules/settings.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/trainings.smk"


if config["restore"]:

    include: "workflow/rules/image_sets.smk"
    include: "workflow/rules/restore.smk"
    include: "workflow/rules/pairs.smk"
    include: "workflow/rules/real_pairs.smk"
    include: "workflow/rules/restore_scores.smk"
    include: "workflow/rules/ablation.smk"
    include: "workflow/rules/folders.smk"
    include: "workflow/rules/denoise.smk"


if config["hsi"]:

    include: "workflow/rules/hsi.smk"
    include: "workflow/rules/hsi_train.smk"
    include: "workflow/rules/hsi_classify.smk"
    include: "workflow/rules/hsi_scores.smk"
    include: "workflow/rules/study.smk"
    include: "workflow/rules/maps.smk"
    include: "workflow/rules/restoration.smk"
    include: "workflow/rules/arms.smk"


include: "workflow/rules/tables.smk"


rule all:
    default_target: True
    input:
        "<results>/report.html" if TABLES or REPORTED else [],
        "<results>/headlines.txt" if TABLES else [],
        DENOISED,
