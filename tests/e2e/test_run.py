"""hubbub run as a person uses it: the demo, joining and leaving, commands beside it, a clean stop; and the same as three
processes."""
import json
import signal
import time

import hub

# The demo: one command, numbers within seconds, a clean end.
port = hub.free_port()
demo = hub.start("run", "--demo", "--listen", f"127.0.0.1:{port}", "--data", hub.path("demo"), name="demo")
began = time.monotonic()
hub.until(lambda: any(row["messages_per_minute"] > 0 for row in hub.rows(port, "/api/v1/channels")), "numbers", 10)
print(f"the demo's first numbers after {time.monotonic() - began:.1f} s")
assert f"http://127.0.0.1:{port}" in hub.said("demo"), hub.said("demo")
status, page = hub.get(port, "/")
assert status == 200 and "<title>" in page
channel = hub.rows(port, "/api/v1/channels")[0]["channel"]
hub.until(lambda: hub.rows(port, f"/api/v1/channels/{channel}/words"), "words")
hub.until(lambda: hub.rows(port, f"/api/v1/channels/{channel}/users"), "users")
messages = hub.until(lambda: hub.rows(port, f"/api/v1/channels/{channel}/messages?limit=5"), "messages")
assert {"time", "id", "user_name", "text", "deleted"} <= messages[0].keys()
assert hub.get(port, "/api/v1/channels/neverseen/rate")[0] == 404
assert hub.get(port, f"/api/v1/channels/{channel}/rate?from=soon")[0] == 400
began = time.monotonic()
assert hub.stop(demo) == 0
print(f"stopped after {time.monotonic() - began:.1f} s")

# Channels from a file, read again on SIGHUP.
_, irc = hub.simulator("--channels", 6, "--seed", 9, "--rate", 200)
names = hub.ask("simulate", "--print-channels", "--channels", 6, "--seed", 9)[0].split()
with open(hub.path("channels"), "w", encoding="ascii") as file:
    file.write("# the first three\n" + "\n".join(names[:3]) + "\n")
port, data = hub.free_port(), hub.path("data")
run = hub.start("run", "--channels-file", hub.path("channels"), "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--data", data,
                "--listen", f"127.0.0.1:{port}")


def seen():
    return {row["channel"] for row in hub.rows(port, "/api/v1/channels")}


hub.until(lambda: seen() == set(names[:3]), "three channels")
with open(hub.path("channels"), "w", encoding="ascii") as file:
    file.write("\n".join(names[2:]) + "\n")
run.send_signal(signal.SIGHUP)
hub.until(lambda: seen() == set(names), "all channels after SIGHUP")
hub.until(lambda: hub.metric(port, "hubbub_irc_channels_joined") == 4, "four joined")

# Commands beside a running hubbub: questions, reading back, an import.
assert json.loads(hub.ask("words", names[0], "--data", data, "--format", "json")[0])["rows"]
assert hub.ask("cat", "--data", data, "--channel", names[0])[0].count("PRIVMSG") > 0
hub.ask("simulate", "--channels", 3, "--seed", 77, "--rate", 10, "--count", 500, "--start", int(time.time()) - 60,
        "--write", hub.path("now.irc"))
imported = hub.ask("simulate", "--print-channels", "--channels", 3, "--seed", 77)[0].split()
hub.ask("import", "--data", data, hub.path("now.irc"))
hub.until(lambda: set(imported) <= seen(), "the imported channels")
assert hub.stop(run, signal.SIGTERM) == 0

# The same as three processes.
port, data = hub.free_port(), hub.path("three")
ingest_port, process_port = hub.free_port(), hub.free_port()
ingest = hub.start("ingest", *names, "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--data", data,
                   "--metrics", f"127.0.0.1:{ingest_port}")
process = hub.start("process", "--data", data, "--metrics", f"127.0.0.1:{process_port}")
serve = hub.start("serve", "--data", data, "--listen", f"127.0.0.1:{port}")
hub.until(lambda: hub.get(port, "/healthz")[0] == 200, "the server sees the store")
hub.until(lambda: seen() == set(names), "six channels of three processes")
assert hub.metric(ingest_port, "hubbub_log_facts_total") > 0
assert hub.metric(process_port, "hubbub_messages_total") > 0
for part_port in (ingest_port, process_port):
    assert hub.get(part_port, "/healthz")[0] == 200
    assert hub.get(part_port, "/api/v1/channels")[0] == 404
    assert hub.get(part_port, "/api/v1/live")[0] == 404
for part in (ingest, process, serve):
    assert hub.stop(part) == 0, part.name
in_log = sum(b" PRIVMSG " in line for line in hub.log_lines(data))
hub.ask("process", "--data", data, "--until-end")
demo = hub.start("ingest", "--demo", name="demo-ingest")
hub.until(lambda: any(True for _ in hub.log_lines(hub.path("hubbub-data-demo"))), "the demo's log")
assert hub.stop(demo) == 0
hub.ask("ingest", "--demo", names[0], expect=2)
counted = hub.query(data, "select sum(messages + shared) from wordcount")[0][0]
assert counted == in_log, (counted, in_log)
hub.passed()
