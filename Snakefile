# Run it with   .venv/bin/snakemake --configfile config/config.yaml   (what `make demo` does).
include: "workflow/Snakefile"


workflow.default_target = "all"  # what is included has none of its own
