"""Engagement of 250 channels over an hour and more of simulated time, with viewers, across the ends of hours and with chat
of days before: each number as a slow reference has it, from the speed layer and from the batch layer, by HTTP and in the
overview of all channels."""
import json
import time

import hub  # first: it says where the others are

import engagement
import reference

CHANNELS, SEED, RATE = 250, 5, 8
HOUR, DAY = 3600, 86400
START = 1_764_001_800  # half past
END = START + 65 * 60
COLUMNS = ["time", "messages", "chatters", "viewers", "messages_per_100_viewers", "participation", "new_chatters",
           "returning_chatters", "subscriber_share", "layer"]


def simulate(name, start, end, *more):
    hub.ask("simulate", "--channels", CHANNELS, "--seed", SEED, "--rate", RATE, "--start", start, "--end", end, "--viewers",
            "--write", hub.path(name), *more)
    with open(hub.path(name), "rb") as lines:
        return lines.read().splitlines()


def iso(time_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_s))


data = hub.path("data")
slow = engagement.Engagement()
# Too long ago to count; within thirty days of some hours asked for only; nine days ago; and now.
for name, start, end in [("month", START - 31 * DAY, START - 31 * DAY + 600), ("edge", END - 30 * DAY - HOUR, END - 30 * DAY),
                         ("days", START - 9 * DAY, START - 9 * DAY + 600), ("now", START, END)]:
    for line in simulate(name, start, end, *(["--rate", 5] if name == "edge" else [])):
        slow.add(line)
    hub.ask("import", "--data", data, hub.path(name))
hub.ask("process", "--data", data, "--until-end")
channels = hub.ask("simulate", "--print-channels", "--channels", CHANNELS, "--seed", SEED)[0].split()


def check(layer):
    compared, returning, unlike = 0, 0, []
    port = hub.free_port()
    serve = hub.start("serve", "--data", data, "--listen", f"127.0.0.1:{port}", name=f"serve-{layer}")
    hub.until(lambda: hub.get(port, "/healthz")[0] == 200, "a server")
    for channel in channels:
        status, text = hub.get(port, f"/api/v1/channels/{channel}/engagement?from={START}&to={END}")
        assert status == 200, text
        answer = json.loads(text)
        assert answer["exact"] and answer["channel"] == channel, text
        expected = slow.rows(channel, START, END)
        assert [row["time"] for row in answer["rows"]] == [iso(minute) for minute in expected], channel
        for row, (minute, wanted) in zip(answer["rows"], expected.items()):
            assert list(row) == COLUMNS and row["layer"] == layer, row
            unlike += [(channel, iso(minute), name, row[name], wanted[name]) for name in engagement.differs(wanted, row)]
            compared += len(wanted)
            returning += row["returning_chatters"]
    assert not unlike, f"{len(unlike)} of {compared} differ, such as {unlike[:5]}"
    assert returning > 200
    print(f"{layer}: {compared} values of {len(channels)} channels, none differs", flush=True)
    # The newest minutes alone, and a range that begins where nothing is kept in memory of the minutes before.
    newest = hub.rows(port, f"/api/v1/channels/{channels[0]}/engagement?from={START}&to={END}&limit=3")
    whole = hub.rows(port, f"/api/v1/channels/{channels[0]}/engagement?from={START}&to={END}")
    later = hub.rows(port, f"/api/v1/channels/{channels[0]}/engagement?from={START + 33 * 60}&to={END}")
    assert newest == whole[-3:] and later == whole[33:], newest
    assert hub.stop(serve) == 0


check("speed")
hub.ask("batch", "--data", data)
check("batch")
out, _ = hub.ask("verify", "--data", data)
assert out.startswith("0 of "), out

# What verify compares: the new columns, too.
hub.edit(data, "update wordcount set new_chatters = new_chatters + 1, subscriber_messages = 0 where channel = ? and minute = ?",
         channels[0], START)
out, _ = hub.ask("verify", "--data", data, expect=1)
assert "\n2 of " in out, out

# The command line.
options = ["--data", data, "--from", START, "--to", END]
out, _ = hub.ask("engagement", channels[1], *options, "--limit", 2, "--format", "csv")
assert out.splitlines()[0] == ",".join(COLUMNS) and len(out.splitlines()) == 3, out
out, _ = hub.ask("engagement", channels[1], *options)
assert "participation" in out and iso(START) in out
assert json.loads(hub.ask("engagement", channels[1], *options, "--format", "json")[0])["exact"]
hub.ask("engagement", "never_seen", *options, expect=1)
hub.ask("engagement", expect=2)
hub.passed()
