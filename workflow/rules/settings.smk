# The config: checked before any work starts, and completed by the schema's defaults.
import os
import sys
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from engine import settings
from engine.errors import UserError
from engine.training.schedule import read_schedule
from engine.untrusted.yaml_file import read_yaml

RULES = workflow.current_basedir.get_path_or_uri(secret_free=True)


def beside(path):
    """A file of the workflow, named from the folder of its rules: where it lies, or fetched.

    Snakemake copies what it fetches to another place in every run, which would run jobs again.
    """
    local = Path(RULES, path)
    if not local.exists():  # a module from elsewhere
        return workflow.source_path(path)
    return os.path.relpath(local.resolve())


def packaged(path):
    """A file of the packages that run, relative to the working folder."""
    package, _, below = path.partition("/")
    return os.path.relpath(Path(find_spec(package).origin).parent / below)


# A config of one's own replaces this one; what it leaves out has the schema's defaults.
if not workflow.overwrite_configfiles:

    configfile: beside("../../config/config.yaml")


def stop(message):
    """One line and the exit status for bad input; Snakemake shows no traceback for it."""
    print(f"snakemake: {message}", file=sys.stderr)
    sys.exit(2)


def plain(path):
    """Refuse what Snakemake would fill in, and what commands would take for an option."""
    if "{" in path or "}" in path:
        raise UserError(f"expected a path without braces, found '{path}'; rename it")
    if path.startswith("-"):
        raise UserError(
            f"expected a path that does not begin with '-', found '{path}'; write ./{path}"
        )


@cache
def image_set(name):
    """The name of a set or a folder of images, and the files of a folder."""
    from restore.image_sets.catalogue import names
    from restore.image_sets.find import image_set

    if name in names():
        return name, []  # fetched by the job that needs it
    plain(name)
    found = image_set(name)
    files = [str(item.path) for item in found]
    for path in files:
        plain(path)
    return found.name, files


def folder(path):
    plain(path)
    if not Path(path).is_dir():
        raise UserError(f"expected a folder, found no folder '{path}'")


def file(path):
    plain(path)
    if not Path(path).is_file():
        raise UserError(f"expected a file, found no file '{path}'")


def degradation(text):
    from restore.degradations.degradation import parse

    if (shortest := str(parse(text))) != text:
        raise UserError(f"expected the shortest form, found '{text}'; write {shortest}")


def model(name):
    """What a name of a model means: dncnn-s-25 and dncnn-s-25.0 are the same."""
    from restore.networks.variants import variant

    return replace(variant(name), name="")


def shipped(name):
    from restore.networks.shipped import shipped_models

    settings.expect_known(name, shipped_models(), "the name of shipped weights")


def baseline(name):
    from restore.evaluation.baselines import BASELINES, method

    settings.expect_known(name, BASELINES, "a baseline")
    method(name)  # it may need a package that is not installed


def classifier(name):
    from hsi.classifiers.catalogue import names

    settings.expect_known(name, names(), "a classifier")


def network(name):
    from hsi.classifiers.catalogue import networks

    settings.expect_known(name, networks(), "a network")


def schedule(name, kind):
    """A named schedule, or a file that holds one of a kind: patches or windows."""
    if Path(name).suffix in (".yaml", ".yml"):
        plain(name)
        read_schedule(Path(name), kind)
    else:
        settings.expect_known(name, kind.NAMED, "a named schedule or a YAML file")


def patch_schedule(name):
    from restore.training.schedules import PatchSchedule

    schedule(name, PatchSchedule)
    teachers_of(name)


def teachers_of(name):
    """The weights that teach by a schedule's file: with other ones it trains again."""
    from restore.networks import shipped
    from restore.training.schedules import PatchSchedule

    if Path(name).suffix not in (".yaml", ".yml"):
        return []
    teachers = read_schedule(Path(name), PatchSchedule).teachers
    return [os.path.relpath(shipped.find(teacher.weights)) for teacher in teachers]


def window_schedule(name):
    from hsi.classifiers.schedules import WindowSchedule

    schedule(name, WindowSchedule)


def cube_degradation(text):
    """What a degradation means: gaussian:25 and gaussian:25.0 are the same."""
    from hsi.degradations.degradation import parse

    return replace(parse(text), text="")


def cube_noise(text):
    from hsi.denoising.comparison.arms import CLEAN, check_noise

    check_noise(text)
    return None if text == CLEAN else cube_degradation(text)


def cube_method(name):
    from hsi.denoising.comparison.methods import check

    check(name)


include: "files.smk"


def checked(found):
    files = map(Path, workflow.overwrite_configfiles or workflow.configfiles)
    names = [
        str(f.relative_to(Path.cwd()) if f.is_relative_to(Path.cwd()) else f)
        for f in files
    ]
    checks = {
        "file": file,
        "folder": folder,
        "path": plain,
        "image-set": image_set,
        "degradation": degradation,
        "model": model,
        "shipped": shipped,
        "baseline": baseline,
        "classifier": classifier,
        "network": network,
        "patch-schedule": patch_schedule,
        "window-schedule": window_schedule,
        "classifier-file": classifier_of,
        "map-memory": map_bytes,
        "scene": source_of("cube"),
        "labels": source_of("labels"),
        "cube-degradation": cube_degradation,
        "cube-method": cube_method,
        "cube-noise": cube_noise,
        "split": split,
    }
    schema = settings.load(beside("../schemas/config.schema.yaml"))
    source = ", ".join(names) or "--config"
    try:
        for path in files:
            # Snakemake lets the last of equal keys win.
            if path.suffix in (".yaml", ".yml"):
                read_yaml(path, "YAML")
        complete = settings.validate(found, schema, source, checks)
        if not (complete["restore"] or complete["hsi"]):
            raise UserError(
                f"{source}: expected a section 'restore' or 'hsi', found neither"
            )
        if complete["hsi"]:
            try:
                check_together(complete["hsi"])
            except UserError as error:
                raise UserError(f"{source}: {error}") from error
        return complete
    except UserError as error:
        stop(error)


config = checked(config)
