# What is checked before the first job of a run, in the run's own output; a dry run goes without.
import subprocess
from importlib.metadata import PackageNotFoundError, version

from packaging.specifiers import SpecifierSet

PLUGIN = "snakemake-executor-plugin-slurm"
# As in the extra `slurm`: the options and states of these are what is tested.
PLUGIN_VERSIONS = ">=2.8,<3"
# What `stat` calls file systems that other machines cannot see.
OF_ONE_MACHINE = ("ext2/ext3", "xfs", "btrfs", "tmpfs", "overlayfs", "ramfs", "zfs")


def executor_of_run():
    """The name of the executor that this run's jobs go to: local, slurm or another."""
    return workflow.executor_plugin.name if workflow.executor_plugin else "local"


def the_device_is_here():
    """A GPU that this machine has not, where its own jobs would each fail for want of it."""
    if executor_of_run() != "local" or not config["device"].startswith("cuda"):
        return
    from engine.device import pick

    try:
        pick(config["device"])
    except UserError as error:
        stop(str(error).replace("`", ""))


def the_plugin_is_known():
    """Another version of the plugin has other options, and may wait for ever for a lost job."""
    if executor_of_run() != "slurm":
        return
    try:
        found = version(PLUGIN)
    except PackageNotFoundError:
        return
    if found not in SpecifierSet(PLUGIN_VERSIONS):
        stop(
            f"{PLUGIN}: expected version {PLUGIN_VERSIONS}, found {found};"
            " pip install 'restore-hsi[slurm]'"
        )


def slurm_takes_the_jobs():
    """A partition or an account that Slurm does not know, which it would say of every job anew."""
    if executor_of_run() != "slurm" or shutil.which("sbatch") is None:
        return
    first = {job.rule.name: job for job in workflow.dag.needrun_jobs()}
    options = dict.fromkeys(
        tuple(
            f"--{option}={job.resources[f'slurm_{option}']}"
            for option in ("partition", "account")
            if job.resources.get(f"slurm_{option}")
        )
        for job in first.values()
        if not job.is_local
    )
    for chosen in filter(None, options):
        command = ["sbatch", "--test-only", *chosen, "--time=1", "--wrap=true"]
        try:
            asked = subprocess.run(command, capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            return  # the submission itself will tell
        said = " ".join(asked.stderr.split())
        if asked.returncode and re.search("partition|account", said, re.IGNORECASE):
            stop(
                f"{' '.join(chosen)}: Slurm refuses it ({said}); correct slurm_partition and"
                " slurm_account in the profile"
            )


def the_folder_is_shared():
    """A folder of this machine alone is no error where one machine is the whole cluster."""
    if executor_of_run() != "slurm":
        return
    command = ["stat", "-f", "-c", "%T", "."]
    kind = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    if kind in OF_ONE_MACHINE:
        print(
            f"snakemake: warning: {os.getcwd()} lies on a file system of this machine ({kind});"
            " jobs on other nodes find it only if it is exported to them under the same path",
            file=sys.stderr,
        )


STARTING += [
    the_device_is_here,
    the_plugin_is_known,
    slurm_takes_the_jobs,
    the_folder_is_shared,
]
