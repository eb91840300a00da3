"""What the end-to-end tests share: running hubbub's commands, asking its API, reading its store and log.

Each test gets a scratch folder (removed when it passes, kept and named when it fails) and free ports of 127.0.0.1; what it
started is stopped at its end, whatever happens.
"""
import atexit
import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HUBBUB = os.environ["HUBBUB"]
SOURCE = os.environ["HUBBUB_SOURCE"]
sys.path.insert(0, os.path.join(SOURCE, "tests", "reference"))

running = []
folder = tempfile.mkdtemp(prefix="hubbub-e2e-")
failed = True


@atexit.register
def clean_up():
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
    if failed:
        print(f"what it left is in {folder}")
        for log in sorted(glob.glob(f"{folder}/*.err")):
            with open(log, encoding="utf-8", errors="replace") as lines:
                print(f"--- {os.path.basename(log)}:", *lines.readlines()[-15:], sep="\n", end="")
    else:
        shutil.rmtree(folder)


def passed():
    """To be called as a test's last act."""
    global failed
    failed = False


def skip(reason):
    passed()
    print(reason)
    sys.exit(77)


def path(name):
    return os.path.join(folder, name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(settings=None):
    """No setting of the person who runs the tests reaches them: only these."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HUBBUB_", "TWITCH_"))}
    return {**kept, **(settings or {})}


def start(*arguments, name=None, settings=None):
    """Starts a command; its stderr goes to NAME.err in the scratch folder. settings: variables in its environment."""
    name = name or arguments[0]
    with open(path(f"{name}.err"), "ab") as err, open(path(f"{name}.out"), "ab") as out:
        process = subprocess.Popen([HUBBUB, *map(str, arguments)], stdout=out, stderr=err, stdin=subprocess.DEVNULL,
                                   cwd=folder, env=environment(settings))
    process.name = name
    running.append(process)
    return process


def said(name):
    with open(path(f"{name}.err"), encoding="utf-8", errors="replace") as text:
        return text.read()


def try_to(*arguments, stdin=None, timeout=300, settings=None):
    """Runs a command to its end; returns (exit code, stdout, stderr)."""
    done = subprocess.run([HUBBUB, *map(str, arguments)], capture_output=True, input=stdin, cwd=folder,
                          env=environment(settings), timeout=timeout, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def ask(*arguments, expect=0, stdin=None, timeout=300, settings=None):
    """Runs a command that must end with that exit code; returns (stdout, stderr)."""
    code, out, err = try_to(*arguments, stdin=stdin, timeout=timeout, settings=settings)
    assert code == expect, f"{arguments} ended with {code}, not {expect}: {err}"
    return out, err


def stop(process, how=signal.SIGINT, within=30):
    """Stops a command and returns its exit code."""
    process.send_signal(how)
    code = process.wait(timeout=within)
    running.remove(process)
    return code


def until(condition, what, within=20):
    """Waits until condition() gives something true, and returns that."""
    end = time.monotonic() + within
    while True:
        with contextlib.suppress(OSError, urllib.error.URLError, sqlite3.OperationalError):
            result = condition()
            if result:
                return result
        assert time.monotonic() < end, f"waited {within} s in vain: {what}"
        time.sleep(0.05)


def get(port, where):
    """(status, text) of a GET."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{where}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def rows(port, where):
    """The rows of an answer. Where the server still waits for its store, that is as if it were not there yet."""
    status, text = get(port, where)
    if status == 503:
        raise ConnectionError(text)
    assert status == 200, f"{where}: {status} {text}"
    return json.loads(text)["rows"]


def metric(port, name):
    """A metric's value; 0 when it is not there."""
    for line in get(port, "/metrics")[1].splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    return 0


def query(data, question, *values):
    with contextlib.closing(sqlite3.connect(f"file:{data}/hubbub.db?mode=ro", uri=True, timeout=10)) as store:
        return store.execute(question, values).fetchall()


def edit(data, statement, *values):
    """Changes a store behind hubbub's back."""
    with contextlib.closing(sqlite3.connect(f"{data}/hubbub.db", timeout=10)) as store, store:
        store.execute(statement, values)


def simulator(*arguments, **options):
    """Starts a simulated Twitch; returns (process, its port)."""
    port = free_port()
    process = start("simulate", "--listen", f"127.0.0.1:{port}", *arguments, **options)
    until(lambda: socket.create_connection(("127.0.0.1", port), 1).close() or True, "the simulator's port")
    return process, port


def channels_file(*arguments):
    """The simulator's channels as a file for --channels-file."""
    with open(path("channels"), "w", encoding="utf-8") as out:
        out.write(ask("simulate", "--print-channels", *arguments)[0])
    return path("channels")


def log_lines(data):
    """Every line of a file log, closed hours included."""
    for part in sorted(glob.glob(f"{data}/log/*.irc") + glob.glob(f"{data}/log/*.irc.zst")):
        if part.endswith(".zst"):
            yield from subprocess.run(["zstdcat", part], capture_output=True, check=True).stdout.splitlines()
        else:
            with open(part, "rb") as lines:
                yield from lines.read().splitlines()


def resident_mb(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0
