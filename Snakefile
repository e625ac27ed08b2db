# Image restoration and scene classification, from images and scenes to tables and a report.
#
# Run it with   .venv/bin/snakemake --configfile config/config.yaml   (what `make demo` does).
from snakemake.utils import min_version

min_version("9.20")


# A config of one's own replaces this one: what it leaves out has the schema's defaults.
if not workflow.overwrite_configfiles:

    configfile: f"{workflow.basedir}/config/config.yaml"


include: "workflow/rules/settings.smk"


pathvars:
    results=config["results"],


include: "workflow/rules/common.smk"


if config["restore"]:

    include: "workflow/rules/restore.smk"


if config["hsi"]:

    include: "workflow/rules/hsi.smk"
    include: "workflow/rules/maps.smk"


include: "workflow/rules/tables.smk"


report: "workflow/report/workflow.rst"


rule all:
    default_target: True
    input:
        "<results>/report.html",
        "<results>/headlines.txt",
