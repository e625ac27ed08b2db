# Tables to read, headline figures, and the report.
import yaml


rule settings:
    output:
        "<results>/config.yaml",
    log:
        "<results>/logs/settings.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        text=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
    message:
        "write down the settings"
    shell:
        "printf '%s' {params.text:q} > {output:q} 2> {log:q}"


rule table:
    input:
        "<results>/{table}.csv",
    output:
        report(
            "<results>/{table}.html",
            caption="../report/table.rst",
            category=lambda w: (
                "Images" if w.table.startswith("restore/") else "Scenes"
            ),
            subcategory="Tables",
            labels=lambda w: {"table": TABLES[w.table]},
        ),
    log:
        "<results>/logs/{table}_table.log",
    wildcard_constraints:
        table=one_of(TABLES),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        title=lambda w: TABLES[w.table],
        trained=lambda w: trained_note(Path(w.table).parts[0]),
        note=lambda w: [
            f"--note={note}" for note in trained_note(Path(w.table).parts[0])
        ],
        code=code_revision("engine.tables"),
    message:
        "lay out the table {wildcards.table}"
    shell:
        "python -m engine.tables {input:q} {output:q} --caption {params.title:q}"
        " {params.note:q} > {log:q} 2>&1"


rule headlines:
    input:
        tables=[
            f"<results>/{table}.csv"
            for table in ("restore/psnr_ssim_summary", "hsi/overall_accuracy_summary")
            if table in TABLES
        ],
        script=beside("../scripts/headlines.py"),
    output:
        "<results>/headlines.txt",
    log:
        "<results>/logs/headlines.log",
    localrule: True
    conda:
        ENVIRONMENT
    message:
        "pick the headline figures"
    shell:
        "python {input.script:q} {input.tables:q} > {output:q} 2> {log:q}"


# What the report shows; a target without files of its own, for the command in the next rule.
rule reported:
    input:
        collect("<results>/{table}.html", table=TABLES),
        REPORTED,


rule report:
    input:
        rules.reported.input,
        config="<results>/config.yaml",
        captions=sorted(
            str(file)
            for file in Path(beside("../report/workflow.rst")).parent.glob("*.rst")
        ),
    output:
        "<results>/report.html",
    log:
        "<results>/logs/report.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        snakefile=os.path.relpath(workflow.main_snakefile),
    message:
        "write the report"
    shell:
        "snakemake reported --snakefile {params.snakefile:q} --configfile {input.config:q}"
        " --report {output:q} > {log:q} 2>&1"


# One page to look at, from the files of the results alone; every table that it reads is made by
# the rules behind those of TABLES.
rule page:
    input:
        tables=collect("<results>/{table}.csv", table=TABLES),
        shown=PAGED,
        config="<results>/config.yaml",
        templates=sorted(
            str(file)
            for kind in ("templates/*.j2", "static/*.*", "static/vendor/*.min.*")
            for file in Path(packaged("engine/page")).glob(kind)
        ),
    output:
        "<results>/index.html",
    log:
        "<results>/logs/page.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        folder=lambda w, output: Path(output[0]).parent,
        code=code_revision("engine.page.results"),
    message:
        "write the results page"
    shell:
        "python -m engine.page {params.folder:q} {output:q} > {log:q} 2>&1"


onsuccess:
    made = {job.rule.name for job in workflow.dag.jobs}
    if "headlines" in made:
        print(f"\n{Path(config['results'], 'headlines.txt').read_text()}", end="")
    if "page" in made:
        print(f"Look at it: {Path(config['results'], 'index.html')}\n")
