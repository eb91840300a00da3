"""What the benchmarks share: a command that is measured, made-up chat, and how the jobs of bench/plain are run."""
import os
import select
import shutil
import subprocess
import time
import typing

HERE = os.path.dirname(os.path.realpath(__file__))
SOURCE = os.path.dirname(HERE)
HUBBUB = os.path.realpath(os.environ.get("HUBBUB", f"{SOURCE}/build/release/hubbub"))
START = "2025-11-24T16:00Z"
LOOK_MS = 20  # how often at least a running command's memory is looked at; the kernel keeps the peak in between

# What Spark 3.5 needs of Java 17.
SPARK_OPENS = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in (
    "java.lang", "java.lang.invoke", "java.net", "java.nio", "java.util", "java.util.concurrent", "sun.nio.ch",
    "sun.security.action", "sun.util.calendar")]


class Trouble(Exception):
    """One sentence: what failed, and why."""


class Cost(typing.NamedTuple):
    seconds: float
    cpu_seconds: float  # of the command and its children, in user and system
    peak_bytes: int  # of resident memory: the peaks of the command and of its children, added up


def environment():
    """No setting of the person who measures reaches hubbub."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("HUBBUB_", "TWITCH_"))}


def last_line(path):
    """The last line in a log that says something: of a Java stack trace, what it is about."""
    with open(path, encoding="utf-8", errors="replace") as log:
        lines = [line.strip() for line in log if line.strip() and not line.startswith(("\tat ", "\t... "))]
    return lines[-1][:300] if lines else "it said nothing"


def run(command, log, folder, settings=None):
    """Runs a command to its end, without measuring it; what it says goes into the file `log`."""
    try:
        with open(log, "ab") as said:
            code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=folder, check=False,
                                  env={**environment(), **(settings or {})}).returncode
    except OSError as error:
        raise Trouble(f"{command[0]} cannot be started: {error.strerror}") from error
    if code != 0:
        raise Trouble(f"{os.path.basename(command[0])} ended with {code}: {last_line(log)} (all of it: {log})")


def peaks(pid, found):
    """Notes the peak memory of a process and its children in `found`, by process id."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    found[pid] = max(found.get(pid, 0), int(line.split()[1]) * 1024)
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            for child in children.read().split():
                peaks(int(child), found)
    except OSError:
        pass  # it has ended meanwhile


def measure(command, log, folder):
    """Runs a command to its end and returns its Cost. Its output goes to /dev/null, what it complains of into `log`."""
    os.sync()  # what others wrote is not to be written to the disk meanwhile
    with open(log, "wb") as said:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                                   cwd=folder, env=environment())
        found, end = {}, os.pidfd_open(process.pid)
        try:
            waiting = select.poll()
            waiting.register(end, select.POLLIN)
            pause_ms = 1
            while not waiting.poll(pause_ms):
                peaks(process.pid, found)
                pause_ms = min(2 * pause_ms, LOOK_MS)
            seconds = time.monotonic() - began
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            os.close(end)
            if process.returncode is None:
                process.kill()
                process.wait()
    if process.returncode != 0:
        raise Trouble(f"{os.path.basename(command[0])} ended with {process.returncode}: {last_line(log)}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, sum(found.values()))


def machine():
    """One sentence on what this runs on."""
    model = "an unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GB of memory, Linux {os.uname().release}"


def check_hubbub():
    if not os.access(HUBBUB, os.X_OK):
        raise Trouble(f"there is no {HUBBUB}: meson setup build/release --buildtype=release && ninja -C build/release, "
                      "or name a hubbub in HUBBUB")


def import_lines(lines, log, folder):
    """Takes a file of lines into a new file log; they are of the past, so its hours are closed and compressed."""
    shutil.rmtree(log, ignore_errors=True)
    run([HUBBUB, "import", "--log", log, lines], f"{folder}/import.log", folder)
    open_hours = [name for name in os.listdir(log) if name.endswith(".irc")]
    if open_hours:
        raise Trouble(f"{log}/{open_hours[0]} is not compressed")
    return sorted(f"{log}/{name}" for name in os.listdir(log) if name.endswith(".irc.zst"))


def remove_store(store):
    for suffix in ("", "-wal", "-shm", "-lock"):
        if os.path.exists(store + suffix):
            os.remove(store + suffix)


def print_table(titles, rows):
    """A table in Markdown; the first column is text, the others are numbers."""
    table = [titles, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(titles))]

    def show(row):
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))]
        print(f"| {' | '.join(cells)} |", flush=True)

    show(titles)
    rulers = ["-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)]
    print(f"|{'|'.join(rulers)}|")
    for row in rows:
        show(row)


def build_spark_jobs(built, log):
    """Builds bench/plain, whose jobs are then in BUILT/plain.jar; Maven gets what they need."""
    if not shutil.which("mvn"):
        raise Trouble("there is no Maven (mvn), which builds the job and gets Spark")
    run(["mvn", "-q", "-B", "-f", f"{HERE}/plain", "package", f"-DbuildDirectory={built}"], log, HERE)
