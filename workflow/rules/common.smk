# File names, what a job may take, and one run at a time.
import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from shlex import quote

from snakemake.settings.types import DeploymentMethod
from snakemake_interface_executor_plugins.settings import ExecMode

from engine.revision import code_revision


pathvars:
    results=config["results"],


ENVIRONMENT = "../envs/restore-hsi.yaml"
TABLES = {}  # tables by their place below the results, with their titles
REPORTED = []  # pictures that the report shows
PAGED = []  # what the results page shows beside the tables
DENOISED = []  # folders of images that are done
STARTING = []  # checks before the first job of a run, that a dry run goes without


# A GPU job leaves the cores to others; on a CPU a training takes them all. `auto` asks for a GPU if
# the machine that submits has one: on a cluster the config's `device` had better say which.
ACCELERATED = config["device"].startswith("cuda") or (
    config["device"] == "auto" and shutil.which("nvidia-smi") is not None
)
CORES = workflow.resource_settings.cores or 8
COMPUTE = {"gpu": int(ACCELERATED), "device": config["device"]}
COMPUTE_THREADS = min(CORES, 4) if ACCELERATED else CORES
# A training keeps hardly more than half of the cores busy: two run at once, or one beside other
# jobs. Each still has as many threads as there are cores, since their number decides the last bits.
TRAINING_THREADS = COMPUTE_THREADS if ACCELERATED else max(1, CORES // 2)


def gpus():
    """The GPUs that jobs of this machine share; Slurm gives its jobs theirs."""
    if "SLURM_JOB_ID" in os.environ or config["device"] not in ("auto", "cuda"):
        return []
    if chosen := os.environ.get("CUDA_VISIBLE_DEVICES"):
        return chosen.split(",")
    listed = shutil.which("nvidia-smi") and subprocess.run(
        ["nvidia-smi", "-L"], capture_output=True, text=True
    )
    return re.findall(r"^GPU (\d+):", listed.stdout, re.MULTILINE) if listed else []


# Of several GPUs each job takes a free one.
TAKE_GPU = (
    f". {quote(beside('../scripts/take_gpu.sh'))} {{resources.gpu}}"
    f" {' '.join(map(quote, gpus()))}; "
    if ACCELERATED and len(gpus()) > 1
    else ""
)


def scaled(mb):
    """Memory in MB; a job that failed gets more at its next attempt."""
    return lambda wildcards, attempt: mb * attempt


def one_of(names):
    """A wildcard's constraint: these names, and nothing where there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


@cache
def source_files(*sources):
    """The files behind scenes and labels; what a package embeds has none of its own."""
    from hsi.formats.registry import files
    from hsi.scenes.embedded import EMBEDDED

    chosen = (source for source in sources if source not in ("", EMBEDDED))
    found = (str(file) for source in chosen for file in files(source))
    return list(dict.fromkeys(found))


def enter(images, sets, key):
    """Enter an image set under the name that tables and folders give it; return that name."""
    name, files = image_set(images)
    if sets.setdefault(name, {"images": images, "files": files})["images"] != images:
        stop(f"{key}: two sets are called '{name}'; rename one folder")
    return name


def split_files(how):
    """The files that a split names; one that is drawn has none."""
    from hsi.splits.split_files import split_files

    return source_files(*split_files(how))


def is_published(how):
    """Whether a split is a published mask, whose pixels may have classes of their own."""
    from hsi.splits.masks import MASKS

    return how.partition(":")[0] in MASKS


def named_splits(asked, key):
    """Splits by what tables call them; one of a file is called after it."""
    from hsi.splits.split_files import split_name

    found = {}
    for index, how in enumerate(asked):
        name = split_name(how)
        if name in found:
            stop(f"{key}[{index}]: two splits are called '{name}'; rename one file")
        found[name] = how
    return found


def prefix():
    """The commands of this very environment, activated or not, or conda's; where data lie."""
    found = []
    if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
        found.append(f"PATH={quote(str(Path(sys.executable).parent))}:$PATH; ")
    if config["data_root"]:
        data = quote(str(Path(config["data_root"]).resolve()))
        found.append(f"export RESTORE_DATA={data}; ")
    if not ACCELERATED and workflow.exec_mode != ExecMode.REMOTE:
        found.append(f"export TRAINING_THREADS={CORES} OMP_WAIT_POLICY=PASSIVE; ")
    return "".join(found)


shell.prefix(prefix())


def mark_unfinished():
    """Mark what is to be made anew as unfinished; each job that ends well takes its own mark away.

    Snakemake removes the outputs of a job before it starts, and later misses no output between two
    others: where a job fails or is killed, what was made from its earlier outputs would be taken
    for finished. What is marked is made again (`rerun-incomplete`), and so is what it needs.
    """
    for job in workflow.dag.needrun_jobs():
        if any(os.path.exists(file) for file in job.output):
            workflow.persistence.started(job)


# Snakemake's own lock would outlive a killed run; the kernel drops this one with its process.
onstart:
    for check in STARTING:
        check()
    live = open(".snakemake/live.lock", "a+")
    try:
        fcntl.flock(live, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        live.seek(0)
        stop(
            f"another run is at work in this folder ({live.read().strip()}); wait until it ends"
        )
    except OSError:  # a file system without locks
        pass
    live.truncate(0)
    print(f"process {os.getpid()} on {socket.gethostname()}", file=live, flush=True)
    workflow.live_lock = live
    mark_unfinished()


def reduced_scene(wildcards):
    """The components that a network shares with others, as an input file."""
    shared = entry(wildcards.classifier).shares_components
    return "<results>/hsi/{scene}/reduced.npz" if shared else []


def arm_files(suffix):
    """The scene with noise as it is and denoised; clean, it is the same in every draw."""
    return lambda wildcards: collect(
        f"{ARM_CUBES}/{{arm}}.{suffix}",
        scene=wildcards.scene,
        noise=wildcards.noise,
        seed=ARMS["draws"][0] if wildcards.noise == "clean" else wildcards.seed,
        arm=ARM_FILES,
    )


def strips_of(wildcards):
    """The strips of a map; none where a single job does it."""
    count = MAPS[wildcards.map]["strips"]
    names = [f"{number}-of-{count}" for number in range(1, count + 1)]
    return [f"{MAP}/strips/{name}.npy" for name in names] if count > 1 else []


def map_options(wildcards):
    """What is written beside the map."""
    chosen = MAPS[wildcards.map]
    return [f"--{name}" for name in ("probabilities", "confidence") if chosen[name]]


def map_memory(wildcards, attempt):
    """What a map may hold, in MB: as asked for and a tenth more, or what is enough for most."""
    asked = MAPS[wildcards.map]["memory"]
    return attempt * (int(parse_bytes(asked) * 1.1 / 1e6) if asked else 8000)


def split_params(splits):
    """What `hsi split` is told, by the wildcards of a rule whose splits are these."""

    def labels_of(wildcards):
        published = is_published(splits[wildcards.split])
        return f"--labels-of={HSI['labels_of']}" if published else []

    def scene(wildcards):
        """Labelled pixels without data are left out; a mask of its own classes is taken whole."""
        if is_published(splits[wildcards.split]) and HSI["labels_of"] == "mask":
            return []
        return f"--scene={SCENES[wildcards.scene]['cube']}"

    return {
        "how": lambda wildcards: splits[wildcards.split],
        "labels_of": labels_of,
        "scene": scene,
    }
