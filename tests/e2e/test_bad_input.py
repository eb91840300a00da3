"""What bad input gets: one clear line and exit 1 or 2, never a crash and never silence."""
import os
import shutil
import socket
import sqlite3

import hub


def refused(code, *arguments, says):
    out, err = hub.ask(*arguments, expect=code, timeout=30)
    lines = err.strip().splitlines()
    assert len(lines) == 1, f"{arguments}: {len(lines)} lines: {err}"
    for part in says if isinstance(says, tuple) else (says,):
        assert part in lines[0], f"{arguments}: '{part}' is not in: {lines[0]}"
    assert out == "", f"{arguments}: {out}"
    print(lines[0].split("hubbub: ", 1)[-1])


data = hub.path("data")
nowhere = f"127.0.0.1:{hub.free_port()}"  # nobody listens there

# Usage
refused(2, "nonsense", says="nonsense")
refused(2, "run", "--nonsense", says="--nonsense")
refused(2, "run", "--data", data, "not a channel", says="not a channel")
refused(2, "ingest", "--data", data, "x" * 51, says="x" * 51)
refused(2, "run", "--data", data, says="channel")
refused(2, "words", "--data", data, says="channel")
refused(2, "words", "xqc", "--from", "yesterday", says="yesterday")
refused(2, "words", "xqc", "--kind", "noun", says="noun")
refused(2, "rate", "xqc", "--format", "xml", says="xml")
refused(2, "serve", "--listen", "8080x", says="8080x")
refused(1, "run", "--data", data, "--channels-file", hub.path("missing"), says="missing")

# Channels that are too many for one account
with open(hub.path("many"), "w", encoding="ascii") as many:
    many.writelines(f"channel{i}\n" for i in range(101))
refused(1, "run", "--data", data, "--channels-file", hub.path("many"), says="100")

# Directories and files
shutil.rmtree(data, ignore_errors=True)
refused(1, "words", "xqc", "--data", hub.path("nothing"), says="nothing")
refused(1, "cat", "--data", hub.path("nothing"), says="nothing")
refused(1, "import", "--data", data, hub.path("nothing.irc"), says="nothing.irc")
with open(hub.path("file"), "w", encoding="ascii") as file:
    file.write("in the way")
refused(1, "run", "--data", hub.path("file"), "xqc", "--twitch-irc", nowhere, "--no-tls", says="file")
if os.path.isdir("/proc/self"):
    refused(1, "run", "--data", "/proc/hubbub", "xqc", "--twitch-irc", nowhere, "--no-tls", says="/proc/hubbub")

# A busy port
with socket.socket() as busy:
    busy.bind(("127.0.0.1", 0))
    busy.listen()
    port = busy.getsockname()[1]
    refused(1, "run", "--data", data, "xqc", "--twitch-irc", nowhere, "--no-tls", "--listen", f"127.0.0.1:{port}",
            says=(f"127.0.0.1:{port}", "--listen"))

# A log of a newer version
hub.ask("simulate", "--channels", 2, "--seed", 1, "--rate", 10, "--count", 50, "--start", 1764000000, "--write",
        hub.path("lines.irc"))
hub.ask("import", "--data", data, hub.path("lines.irc"))
hub.ask("process", "--data", data, "--until-end")
shutil.copytree(data, hub.path("newer"))
with open(hub.path("newer/log/.version"), "w", encoding="ascii") as version:
    version.write("99\n")
refused(1, "import", "--data", hub.path("newer"), hub.path("lines.irc"), says="newer")
refused(1, "cat", "--data", hub.path("newer"), says="newer")
refused(1, "run", "--data", hub.path("newer"), "xqc", "--twitch-irc", nowhere, "--no-tls", says="newer")

# A store that is none, damaged, or a newer hubbub's
shutil.copytree(data, hub.path("corrupt"))
for leftover in ("hubbub.db-wal", "hubbub.db-shm"):
    if os.path.exists(hub.path(f"corrupt/{leftover}")):
        os.unlink(hub.path(f"corrupt/{leftover}"))
with open(hub.path("corrupt/hubbub.db"), "wb") as store:
    store.write(b"this is no database" * 1000)
refused(1, "words", "x", "--data", hub.path("corrupt"), says="hubbub.db")
refused(1, "run", "--data", hub.path("corrupt"), "xqc", "--twitch-irc", nowhere, "--no-tls", "--listen", "127.0.0.1:0",
        says="hubbub.db")
shutil.copytree(data, hub.path("future"))
store = sqlite3.connect(hub.path("future/hubbub.db"))
store.execute("pragma user_version = 9999")
store.close()
refused(1, "process", "--data", hub.path("future"), "--until-end", says="newer")
os.makedirs(hub.path("foreign"))
store = sqlite3.connect(hub.path("foreign/hubbub.db"))
store.execute("create table diary (entry text)")
store.close()
refused(1, "process", "--data", hub.path("foreign"), "--log", f"{data}/log", "--until-end", says="hubbub.db")

# A channel that was never seen, lines that are none
refused(1, "words", "neverseen", "--data", data, says="neverseen")
out, err = hub.ask("import", "--data", data, "-", stdin=b"garbage\0\xff\nPING :x\n\r\n" + b"x" * 200_000 + b"\n", expect=1)
assert "imported 0 facts" in err and "no facts: is it raw IRC" in err, err

# A second hubbub on the same data directory
_, irc = hub.simulator("--channels", 2, "--seed", 1, "--rate", 5)
first = hub.start("run", "--data", data, "xqc", "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--listen", "127.0.0.1:0")
hub.until(lambda: os.path.exists(f"{data}/log/.recorder"), "the first hubbub")
hub.until(lambda: "127.0.0.1" in hub.said("run"), "the first hubbub's address")
refused(1, "run", "--data", data, "xqc", "--twitch-irc", nowhere, "--no-tls", "--listen", "127.0.0.1:0", says="data")
refused(1, "process", "--data", data, says="hubbub.db")
refused(1, "ingest", "--data", data, "xqc", "--twitch-irc", nowhere, "--no-tls", says="data")
assert hub.stop(first) == 0
hub.passed()
