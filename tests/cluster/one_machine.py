"""A Slurm cluster on one machine: several nodes that claim more than the machine has.

It needs the programs of Debian's `slurm-wlm` and `munge`, and no root. Everything lies in one
folder, nothing listens but on 127.0.0.1, and what is ended is only what was started here. Memory
is polled, as there are no control groups; there is no accounting.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
_PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

_CONF = """\
ClusterName=onemachine
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
PlugStackConfig={folder}/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
SlurmdTimeout=20
KillWait=5
MinJobAge=600
ReturnToService=2
AccountingStorageType=accounting_storage/none
GresTypes=gpu
"""


def missing_program() -> str:
    """Return the first program that a cluster needs and this machine lacks; '' for none."""
    return next((name for name in PROGRAMS if not shutil.which(name, path=_PLACES)), "")


class Cluster:
    """A cluster that runs while the `with` block does.

    Attributes
    ----------
    environment : dict of str to str
        For processes that use the cluster.
    nodes : list of str
    """

    def __init__(
        self, folder: Path, nodes: int = 2, cpus: int = 8, memory: int = 16000, gpus: int = 1
    ) -> None:
        self.folder = folder
        self.nodes = [f"node{number}" for number in range(1, nodes + 1)]
        self.environment = os.environ | {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder / 'bin'}:{_PLACES}",
        }
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._write(cpus, memory, gpus)

    def _write(self, cpus: int, memory: int, gpus: int) -> None:
        folder = self.folder
        for name in ("munge", "state", "log", "spool", "bin"):
            (folder / name).mkdir(parents=True)
        (folder / "munge").chmod(0o700)
        key = folder / "munge/key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        conf = _CONF.format(folder=folder, port=_free_port(), user=_user())
        for name in self.nodes:
            conf += (
                f"NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={_free_port()} "
                f"CPUs={cpus} RealMemory={memory} Gres=gpu:{gpus}\n"
            )
        conf += "PartitionName=main Nodes=ALL Default=YES DefMemPerCPU=500 MaxTime=1440 State=UP\n"
        (folder / "slurm.conf").write_text(conf)
        gres = [f"NodeName={node} Name=gpu File=/dev/null\n" for node in self.nodes] * gpus
        (folder / "gres.conf").write_text("".join(gres))
        (folder / "plugstack.conf").touch()
        # The executor's job step calls srun in an environment without SLURM_CONF.
        srun = folder / "bin/srun"
        srun.write_text(
            f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n'
        )
        srun.chmod(0o755)

    def __enter__(self) -> "Cluster":
        munge = self.folder / "munge"
        try:
            self._start(
                "munged",
                *("munged", "--foreground", "--force", f"--key-file={munge}/key"),
                *(f"--socket={munge}/socket", f"--pid-file={munge}/pid", "--num-threads=2"),
                *(f"--log-file={munge}/log", f"--seed-file={munge}/seed"),
            )
            _wait(lambda: (munge / "socket").exists(), "munged")
            self._start("slurmctld", "slurmctld", "-D")
            _wait(lambda: self.call("scontrol", "ping").returncode == 0, "slurmctld")
            for node in self.nodes:
                self.bring_back(node)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.call("scancel", f"--user={_user()}")
        for name in reversed(list(self._started)):
            self._end(name)

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / f"log/{name}.out").open("ab") as log:
            self._started[name] = subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _end(self, name: str) -> None:
        process = self._started.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()

    def call(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run one of Slurm's commands."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True)

    def jobs(self, states: Sequence[str] = ("RUNNING",)) -> dict[str, str]:
        """Return the jobs in these states: the comment (which names the rule) by number."""
        shown = self.call("squeue", "--noheader", f"--states={','.join(states)}", "--format=%A|%k")
        pairs = (line.split("|", 1) for line in shown.stdout.splitlines())
        return dict(pairs)

    def node_of(self, job: str) -> str:
        """Return the node that a job runs on."""
        return self.call("squeue", "--noheader", f"--jobs={job}", "--format=%N").stdout.strip()

    def lose(self, node: str) -> None:
        """End a node as a power cut does: its daemon, and all that it runs."""
        self._end(f"slurmd-{node}")
        self.call("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=lost")

    def bring_back(self, node: str) -> None:
        """Start a node's daemon and wait until it takes jobs."""
        self._start(f"slurmd-{node}", "slurmd", "-D", "-N", node)

        def idle() -> bool:
            shown = self.call("sinfo", "--noheader", f"--nodes={node}", "--format=%T").stdout
            if "down" in shown:
                self.call("scontrol", "update", f"NodeName={node}", "State=RESUME")
            return "idle" in shown

        _wait(idle, node)


def _user() -> str:
    return subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(condition: Callable[[], bool], what: str, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: no answer in {seconds:g} s")
        time.sleep(0.2)
