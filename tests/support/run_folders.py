"""Comparing run folders, and killing a merge in the middle."""
import array
import hashlib
import json
import os
import signal
import subprocess
import time

from koine_cli import KOINE, koine

MAY_DIFFER = ("run.log", "timing.json", ".koine")


def contents(run):
    """{relative path: SHA-256} of every file that may not differ."""
    found = {}
    for folder, folders, files in os.walk(run):
        folders[:] = [f for f in folders if f not in MAY_DIFFER]
        for leaf in files:
            if leaf in MAY_DIFFER:
                continue
            path = os.path.join(folder, leaf)
            with open(path, "rb") as f:
                found[os.path.relpath(path, run)] = hashlib.sha256(f.read()).hexdigest()
    return found


def whole_merge(root, *synth):
    """Makes in/ by `koine synth` and merges it into whole/, alone; the contents of that run."""
    for args in (("synth", *synth, "--output", "in"), ("merge", "in/lors.yaml", "--output", "whole", "--threads", "1")):
        done = koine(*args, cwd=root)
        assert done.returncode == 0, done.stderr
    return contents(os.path.join(root, "whole"))


def command(args, ranks):
    launcher = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    return [*launcher, KOINE, *map(str, args)]


def start(args, ranks=1, cwd=None):
    return subprocess.Popen(command(args, ranks), cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def members(group):
    """Processes of a session, whatever their process group (mpirun gives its children their own)."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == group and fields[0] != "Z":
            found.append(int(name))
    return found


def kill_after(args, seconds, ranks=1, cwd=None):
    """Starts a merge and kills all its processes after so long; whether it was still running then."""
    process = start(args, ranks, cwd)
    time.sleep(seconds)
    was_running = process.poll() is None
    for pid in members(process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()
    return was_running


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def rewrite_entry(run, name, index, change):
    """Adds `change` to one float32 entry of a tensor, and makes every hash of the run folder agree with that."""
    with open(os.path.join(run, "manifest.json")) as f:
        manifest = f.read()
    document = json.loads(manifest)
    tensor = document["tensors"][name]
    path = os.path.join(run, tensor["shard"])
    with open(path, "rb") as f:
        shard = bytearray(f.read())
    at = slice(tensor["offset"], tensor["offset"] + tensor["bytes"])
    values = array.array("f", bytes(shard[at]))
    values[index] += change
    before, shard[at] = bytes(shard), values.tobytes()
    body = manifest[: manifest.rindex(",\n  \"manifest_sha256\"")] + "\n}\n"
    body = body.replace(tensor["sha256"], sha256(values.tobytes())).replace(sha256(before), sha256(bytes(shard)))
    sealed = body[: -len("\n}\n")] + f",\n  \"manifest_sha256\": \"{sha256(body.encode())}\"\n}}\n"
    with open(os.path.join(run, "SHA256SUMS")) as f:
        sums = f.read().replace(sha256(before), sha256(bytes(shard))).replace(sha256(manifest.encode()), sha256(sealed.encode()))
    for leaf, data in ((tensor["shard"], bytes(shard)), ("manifest.json", sealed.encode()), ("SHA256SUMS", sums.encode())):
        with open(os.path.join(run, leaf), "wb") as f:
            f.write(data)
