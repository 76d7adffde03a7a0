"""A real Slurm on this machine: munged, slurmctld and several slurmd, each a node of its own, in a folder of the test's.

Nothing of the system's own configuration is read or written. Ends with SkipTest where Slurm is not installed."""
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

DAEMONS = ("munged", "slurmctld", "slurmd")

# TmpFS apart for each node: mpi/pmix puts folders of one name there. cred_expire: a requeued job would wait two minutes.
# No RequeueExit: koine's jobs requeue by themselves.
CONFIGURATION = """\
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/run/munge.sock,cred_expire=5
CredType=cred/munge
SlurmctldPort={port}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool.%n
SlurmctldPidFile={root}/run/slurmctld.pid
SlurmdPidFile={root}/run/slurmd.%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd.%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog={root}/taskprolog.sh
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
TmpFS={root}/tmp.%n
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,default_queue_depth=1000
ReturnToService=2
KillWait=5
MinJobAge=600
SlurmdTimeout=60
JobRequeue=1
MaxArraySize=10001
"""

# Open MPI names its shared-memory files by host: nodes of one machine need folders apart.
TASK_PROLOG = """\
#!/bin/sh
d=/dev/shm/koine-slurm-{tag}-$SLURMD_NODENAME
mkdir -p "$d"
echo "export OMPI_MCA_btl_vader_backing_directory=$d"
echo "export OMPI_MCA_osc_sm_backing_directory=$d"
echo "export OMPI_MCA_mpi_yield_when_idle=1"
"""


class SlurmCluster:
    def __init__(self, nodes=4, cpus=2):
        if os.geteuid() != 0 or not all(shutil.which(name) for name in DAEMONS):
            raise unittest.SkipTest("Slurm's daemons are not installed, or this is not root")
        self.nodes = [f"n{i + 1}" for i in range(nodes)]
        self.root = tempfile.mkdtemp(prefix="ks-", dir="/tmp")  # short: paths of sockets have a limit
        self.tag = os.path.basename(self.root)
        self.environment = {"SLURM_CONF": f"{self.root}/slurm.conf"}
        try:
            self._configure(cpus)
            self._start()
        except BaseException:
            self.stop()
            raise

    def _write(self, name, text, mode=0o644):
        path = os.path.join(self.root, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def _configure(self, cpus):
        os.chmod(self.root, 0o755)
        for folder, mode in (("state", 0o755), ("log", 0o755), ("run", 0o755), ("munge", 0o700)):
            os.mkdir(f"{self.root}/{folder}")
            os.chmod(f"{self.root}/{folder}", mode)
        with open(f"{self.root}/munge/key", "wb") as key:
            key.write(os.urandom(1024))
        os.chmod(f"{self.root}/munge/key", 0o400)
        host = socket.gethostname().split(".")[0]
        port = random.randrange(20000, 50000, 100)
        memory = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20 * 0.9)
        text = CONFIGURATION.format(host=host, root=self.root, port=port)
        for i, node in enumerate(self.nodes):
            for folder in ("spool", "tmp"):
                os.mkdir(f"{self.root}/{folder}.{node}")
            text += (f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port + 1 + i} CPUs={cpus} "
                     f"RealMemory={memory} State=UNKNOWN\n")
        text += f"PartitionName=main Nodes={','.join(self.nodes)} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO\n"
        self._write("slurm.conf", text)
        self._write("cgroup.conf", "CgroupAutomount=no\n")
        self._write("taskprolog.sh", TASK_PROLOG.format(tag=self.tag), 0o755)

    def _start(self):
        run = f"{self.root}/run"
        self.command("munged", "--force", f"--key-file={self.root}/munge/key", f"--socket={run}/munge.sock",
                     f"--pid-file={run}/munged.pid", f"--log-file={self.root}/log/munged.log",
                     f"--seed-file={self.root}/munge/seed", "--num-threads=2")
        self.command("slurmctld", "-c")
        for node in self.nodes:
            self.start_node(node)
        self.until(lambda: self.command("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split() == sorted(self.nodes),
                   30, "the nodes are idle")

    def start_node(self, node):
        self.command("slurmd", "-N", node)

    def kill_node(self, node):
        """The node's daemon dies as with the machine: its steps and their processes with it."""
        with open(f"{self.root}/run/slurmd.{node}.pid", encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGKILL)
        for pid in self._processes(f"SLURMD_NODENAME={node}"):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.command("scontrol", "update", f"nodename={node}", "state=down", "reason=test")

    def _processes(self, variable):
        """Those that have this variable with this cluster's SLURM_CONF in their environment."""
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    entries = file.read().decode(errors="replace").split("\0")
            except OSError:
                continue
            if variable in entries and f"SLURM_CONF={self.root}/slurm.conf" in entries:
                found.append(int(name))
        return found

    def command(self, *words, check=True):
        done = subprocess.run(words, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=60,
                              check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout.strip()

    def job(self, job):
        """{"JobState": "RUNNING", …} of a job or of one task of an array."""
        text = self.command("scontrol", "-o", "show", "job", str(job))
        return dict(word.split("=", 1) for word in text.splitlines()[0].split() if "=" in word)

    def wait_for(self, job, state, seconds=120):
        self.until(lambda: self.job(job)["JobState"] == state, seconds, f"job {job} is {state}",
                   lambda: f"{self.job(job)}\n{self.log(job)}")

    def log(self, job):
        path = self.job(job).get("StdOut", "")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    @staticmethod
    def until(is_so, seconds, what, explain=lambda: ""):
        end = time.time() + seconds
        while not is_so():
            if time.time() > end:
                raise AssertionError(f"waited {seconds} s in vain until {what}\n{explain()}")
            time.sleep(0.1)

    def stop(self):
        """Each daemon by its own process id, then whatever is left of the jobs."""
        run = f"{self.root}/run"
        for leaf in sorted(os.listdir(run), reverse=True) if os.path.isdir(run) else []:
            if leaf.endswith(".pid"):
                with open(f"{run}/{leaf}", encoding="ascii") as file:
                    self._end(file.read())
        for pid in self._processes(f"SLURM_CONF={self.root}/slurm.conf"):
            self._end(str(pid), signal.SIGKILL)
        for node in self.nodes:
            shutil.rmtree(f"/dev/shm/koine-slurm-{self.tag}-{node}", ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)

    @staticmethod
    def _end(text, first=signal.SIGTERM):
        if not text.strip().isdigit():
            return
        pid = int(text)
        for number in (first, signal.SIGKILL):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return
            for _ in range(60):
                try:
                    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                        if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                            return
                except OSError:
                    return
                time.sleep(0.05)
