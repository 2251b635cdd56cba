"""The machine: processors, environments with the rivals, convc, and processes that are timed."""

import glob
import json
import os
import select
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
STATE = os.path.join(ROOT, ".build", "benchmarks")


def say(text):
    print(text, file=sys.stderr, flush=True)


# Environments


def python_of(folder):
    return os.path.join(folder, "bin", "python")


def requirements(file):
    with open(os.path.join(ROOT, "Benchmarks", file)) as lines:
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def make_environment(folder, file):
    """A virtual environment with the packages of a requirements file; those that fail are said."""
    if not os.path.exists(python_of(folder)):
        say(f"Making the environment {folder}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    for package in requirements(file):
        if has_package(folder, package):
            continue
        # PyTorch without the parts for GPUs is smaller, and the same on a processor.
        wanted = [package + "+cpu", package] if package.startswith("torch==") else [package]
        say(f"Installing {package}")
        pip = [python_of(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if not any(subprocess.run([*pip, name], stderr=subprocess.DEVNULL).returncode == 0 for name in wanted):
            say(f"{package} cannot be installed; it is listed as missing")


def has_package(folder, requirement):
    name, version = requirement.split("==")
    found = version_of(folder, name)
    return found is not None and found.split("+")[0] == version


def version_of(folder, package):
    """The version of an installed package; nil: it is not there."""
    code = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
    try:
        result = subprocess.run(
            [python_of(folder), "-c", code, package], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()


def tcmalloc():
    """The path of tcmalloc; nil: it is not installed."""
    for pattern in ("/usr/lib/*/libtcmalloc_minimal.so.4", "/usr/lib*/libtcmalloc_minimal.so.4"):
        for path in sorted(glob.glob(pattern)):
            return path
    return None


# convc


def build(product="convc"):
    """Builds a product in release and returns its path."""
    say(f"Building {product} (release)")
    command = ["swift", "build", "-c", "release", "--package-path", ROOT, "--product", product]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    folder = subprocess.run([*command, "--show-bin-path"], capture_output=True, text=True, check=True)
    return os.path.join(folder.stdout.strip(), product)


# Processes


def processors(count):
    """The processors that timed processes run on."""
    usable = sorted(os.sched_getaffinity(0))
    if count > len(usable):
        raise ValueError(f"--threads is {count}, this machine has {len(usable)} processors")
    return usable[:count]


def environment(threads, cache, preload=None):
    """Variables of a timed process: so many threads, no GPU, its own cold caches."""
    variables = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        variables[name] = str(threads)
    variables |= {
        "CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONDONTWRITEBYTECODE": "1", "CONVC_CACHE": os.path.join(cache, "convc"),
        "TORCHINDUCTOR_CACHE_DIR": os.path.join(cache, "inductor"),
    }
    if preload:
        variables["LD_PRELOAD"] = preload
    return variables


def busy_seconds():
    """Processor seconds that the whole machine has worked."""
    with open("/proc/stat") as stat:
        ticks = [int(word) for word in stat.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


class Program:
    """A process that prints lines of JSON. What it says on standard error goes to the file `log`."""

    def __init__(self, command, variables, cpus, log):
        self.log = log
        self.rest = b""
        with open(log, "w") as errors:
            self.process = subprocess.Popen(
                command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, cpus))

    def line(self, limit):
        """The next line as a dictionary; one with `error` alone where it fails or takes too long.

        Adds `other_cpus`: how many processors other work on the machine kept busy meanwhile.
        """
        busy, own, start = busy_seconds(), self.seconds(), time.monotonic()
        found = self.next_line(start + limit)
        if found is None:
            return {"error": f"took over {limit} s"}
        if not found:
            return {"error": last_words(self.log) or f"exit status {self.process.wait()}"}
        wall = time.monotonic() - start
        other = (busy_seconds() - busy) - (self.seconds() - own)
        return found | {"other_cpus": round(max(0, other / wall), 2)}

    def next_line(self, end):
        """The next line that is an object; {}: there is none; None: there is none before the time `end`."""
        while True:
            while b"\n" in self.rest:
                text, self.rest = self.rest.split(b"\n", 1)
                if text.startswith(b"{"):
                    return json.loads(text)
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                return {}
            self.rest += part

    def seconds(self):
        """Processor seconds of the process and of all that it started."""
        ticks = 0
        for file in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(file) as stat:
                    words = stat.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(words[2]) == self.process.pid:  # its process group
                ticks += sum(int(word) for word in words[11:15])  # with those that have ended
        return ticks / os.sysconf("SC_CLK_TCK")

    def signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def end(self):
        """Ends the process with all that it started."""
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()


def run(command, variables, cpus, limit, log):
    """Runs a program to its first line, see `Program.line`."""
    program = Program(command, variables, cpus, log)
    try:
        return program.line(limit)
    finally:
        program.end()


class Paced(Program):
    """A program that prepares itself, says so, and then measures when it is asked to; between that it stands still.

    So those that are compared run in turn, each in the same seconds of a machine that changes from one
    second to the next, and none waits for another to start.
    """

    def __init__(self, command, variables, cpus, log):
        super().__init__([*command, "--paced"], variables, cpus, log)

    def ready(self, limit):
        """Waits until it is prepared; a dictionary with `error`, or without it."""
        found = self.line(limit)
        self.signal(signal.SIGSTOP)
        return found

    def measure(self, limit):
        """A measurement, see `line`."""
        self.signal(signal.SIGCONT)
        try:
            os.write(self.process.stdin.fileno(), b"\n")
        except BrokenPipeError:
            pass
        return self.ready(limit)


def last_words(log):
    with open(log) as lines:
        words = [line.strip() for line in lines if line.strip()]
    return words[-1][:200] if words else ""
