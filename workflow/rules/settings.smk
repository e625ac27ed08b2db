# The config: checked before any work starts, and completed by the schema's defaults.
import sys
from pathlib import Path

from engine import settings
from engine.errors import UserError


def stop(message):
    """One line and the exit status for bad input; Snakemake shows no traceback for it."""
    print(f"snakemake: {message}", file=sys.stderr)
    sys.exit(2)


def image_set(name):
    from restore.sets import resolve

    return resolve(name, fetch=False)


def degradation(text):
    from restore.degrade import parse

    if (shortest := str(parse(text))) != text:
        raise UserError(f"expected the shortest form, found '{text}'; write {shortest}")


def schedule(name):
    if name not in ("demo", "paper"):
        if Path(name).suffix not in (".yaml", ".yml"):
            raise UserError(f"expected demo, paper or a YAML file, found '{name}'")
        settings.load(name)


def scene(source):
    from hsi.scene import EMBEDDED

    if source != EMBEDDED and not file_of(source).is_file():
        raise UserError(
            f"expected {EMBEDDED} or a file, found '{source}', which is not there; mend the path"
        )


def split(how):
    kind, _, what = how.partition(":")
    if kind == "mask" and not file_of(what).is_file():
        raise UserError(
            f"expected mask:FILE, but there is no file '{what}'; mend the path"
        )


def file_of(source):
    """The file of FILE or FILE:variable."""
    return Path(
        source if Path(source).is_file() else source.rpartition(":")[0] or source
    )


def checked(found):
    files = map(Path, workflow.overwrite_configfiles or workflow.configfiles)
    names = [
        str(f.relative_to(Path.cwd()) if f.is_relative_to(Path.cwd()) else f)
        for f in files
    ]
    checks = {
        "image-set": image_set,
        "degradation": degradation,
        "schedule": schedule,
        "scene": scene,
        "split": split,
    }
    schema = settings.load(f"{workflow.basedir}/workflow/schemas/config.schema.yaml")
    source = ", ".join(names) or "--config"
    try:
        complete = settings.validate(found, schema, source, checks)
        if not (complete["restore"] or complete["hsi"]):
            raise UserError(
                f"{source}: expected a section 'restore' or 'hsi', found neither"
            )
        return complete
    except UserError as error:
        stop(error)


config = checked(config)
