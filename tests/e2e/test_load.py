"""hubbub run at 20,000 messages/s: nothing is lost, the answers are current to within a second, memory stays small.

HUBBUB_LOAD_SECONDS (60) says for how long.
"""
import json
import os
import threading
import time
import urllib.request

import hub

SECONDS = int(os.environ.get("HUBBUB_LOAD_SECONDS", "60"))
RATE, CHANNELS = 20_000, 200
COUNT = RATE * SECONDS

_, irc = hub.simulator("--channels", CHANNELS, "--seed", 3, "--rate", RATE, "--count", COUNT, "--wait-joins", CHANNELS)
channels = hub.channels_file("--channels", CHANNELS, "--seed", 3)
port, data = hub.free_port(), hub.path("data")
run = hub.start("run", "--channels-file", channels, "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--data", data,
                "--listen", f"127.0.0.1:{port}")
hub.until(lambda: hub.get(port, "/healthz")[0] == 200, "the server")

# Freshness as the dashboard sees it: how old is the newest live event, at any moment?
events = {"at": 0.0, "count": 0, "worst": 0.0}


def listen():
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/live", timeout=30) as live:
        for line in live:
            if line.startswith(b"event: channels"):
                now = time.monotonic()
                if events["count"] > 2:
                    events["worst"] = max(events["worst"], now - events["at"])
                events["at"], events["count"] = now, events["count"] + 1


threading.Thread(target=listen, daemon=True).start()


def counted():
    """Messages in the store, copies of Shared Chat included."""
    return hub.query(data, "select coalesce(sum(messages + shared), 0) from wordcount")[0][0]


peak_mb, lags = 0.0, []
hub.until(lambda: counted() > 0, "the first rows")
while True:
    sent = hub.metric(port, "hubbub_log_facts_total")
    peak_mb = max(peak_mb, hub.resident_mb(run))
    now = counted()
    if now >= COUNT:
        break
    lags.append(hub.metric(port, "hubbub_speed_lag_milliseconds"))
    time.sleep(0.25)
    assert hub.resident_mb(run) > 0, "hubbub run is gone"
    assert len(lags) < (SECONDS + 30) * 8, f"only {now} of {COUNT} messages were counted; {sent} facts are in the log"
total_in_log = hub.metric(port, "hubbub_log_facts_total")
print(f"{COUNT} messages in {SECONDS} s: {now} counted; peak {peak_mb:.0f} MB; {events['count']} live events, "
      f"longest pause {events['worst']:.2f} s; worst lag {max(lags) / 1000:.2f} s")
assert now == COUNT, f"{now} counted, {COUNT} sent"
assert hub.metric(port, "hubbub_facts_dropped_total") == 0
assert peak_mb < 300, f"{peak_mb} MB"
assert events["worst"] < 2.0, f"{events['worst']} s without a live event"
assert sorted(lags)[int(len(lags) * 0.95)] <= 1000, "the answers are more than a second old"
assert hub.stop(run) == 0
assert sum(line.find(b" PRIVMSG ") > 0 for line in hub.log_lines(data)) == COUNT
assert counted() == COUNT
top = json.loads(hub.ask("channels", "--data", data, "--format", "json")[0])["rows"]
assert len(top) == CHANNELS, len(top)
hub.passed()
