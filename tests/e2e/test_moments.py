"""Moments: bursts of simulated chat are found at their minutes, with what was said in them on top; floods by a few users
are not; speed and batch find the same, live or in one go, and again whatever was found before."""
import collections
import contextlib
import json
import re
import sqlite3
import time
import urllib.request

import hub

START, HOUR, MINUTE, EVERY = 1_764_000_000, 3600, 60, 20
CHANNELS, RATE = 4, 12
END = START + 3 * HOUR


def moments(data, *options):
    out, _ = hub.ask("moments", *options, "--data", data, "--from", START, "--to", END, "--format", "json")
    return json.loads(out)["rows"]


def rows(data):
    return hub.query(data, "select channel, minute, score, messages, chatters, usual, words from moments order by 1, 2")


def numbers(data):
    return [row[:-1] for row in rows(data)]


hub.ask("simulate", "--write", hub.path("lines.irc"), "--channels", CHANNELS, "--rate", RATE, "--seed", 5, "--bursts", EVERY,
        "--start", START, "--end", END)
with open(hub.path("lines.irc"), "rb") as text:
    lines = text.readlines()
channels = hub.ask("simulate", "--channels", CHANNELS, "--seed", 5, "--print-channels")[0].split()


def time_ms(line):
    return int(re.search(rb"(?:tmi-sent-ts|rm-received-ts)=(\d+)", line).group(1))


# What was said by most in each burst, told by counting: every EVERY minutes, a channel in turn.
expected = {}
for number in range(1, (END - START) // MINUTE // EVERY):
    minute, channel = START + number * EVERY * MINUTE, channels[(number - 1) % CHANNELS]
    if minute < START + 30 * MINUTE:
        continue
    said = collections.Counter()
    for line in lines:
        if minute * 1000 <= time_ms(line) < (minute + MINUTE) * 1000 and f" PRIVMSG #{channel} :".encode() in line:
            text = line.decode().split(f" PRIVMSG #{channel} :", 1)[1].split()
            said.update(set(text))
    expected[channel, minute] = said.most_common(1)[0]

# Floods: one user and three users say a lot in a minute; none of these is a moment.
floods = {(channels[3], START + 50 * MINUTE): 1, (channels[2], START + 70 * MINUTE): 3, (channels[1], START + 110 * MINUTE): 3}
flood = []
for (channel, minute), users in floods.items():
    assert (channel, minute) not in expected
    for i in range(900):
        flood.append((minute * 1000 + i * 60, f"@display-name=spam{i % users};id=f{minute}-{i};room-id=1;tmi-sent-ts="
                      f"{minute * 1000 + i * 60};user-id=77{i % users} :spam{i % users}!spam@spam PRIVMSG #{channel} :"
                      f"BUY FOLLOWERS {i}\n".encode()))
merged = sorted([(time_ms(line), line) for line in lines] + flood, key=lambda each: each[0])
with open(hub.path("all.irc"), "wb") as out:
    out.writelines(line for _, line in merged)

# In one go.
data = hub.path("data")
hub.ask("import", "--data", data, hub.path("all.irc"))
hub.ask("process", "--data", data, "--until-end")
found = {(row["channel"], row["time"]): row for row in moments(data)}
times = {key: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(key[1])) for key in [*expected, *floods]}
for (channel, minute), (word, _) in expected.items():
    moment = found.get((channel, times[channel, minute]))
    assert moment, f"the burst of {channel} at {times[channel, minute]} is not found: {list(found)}"
    top = moment["words"][0]
    assert (top["kind"], top["word"]) == ("emote", word), f"{moment} has {word} on top?"
    assert top["count"] > moment["chatters"] / 3 and moment["score"] >= 5 and moment["messages"] >= 1.5 * moment["usual"]
for channel, minute in floods:
    assert (channel, times[channel, minute]) not in found, f"the flood in {channel} is taken for a moment"
assert {row["layer"] for row in found.values()} == {"speed"}
for channel in channels:
    own = moments(data, channel)
    assert [row["time"] for row in own] == sorted(time_ for name, time_ in found if name == channel)
print(f"{len(expected)} bursts found, with their emotes on top; {len(found) - len(expected)} other moments; "
      f"{len(floods)} floods passed over")

# The batch layer finds the same.
speed = rows(data)
hub.ask("verify", "--data", data)
hub.ask("batch", "--data", data, "--from", START)
assert rows(data) == speed, "speed and batch found different moments"
assert {row["layer"] for row in moments(data)} == {"batch"}
hub.ask("verify", "--data", data)

# Without a speed layer, hour by hour, the last one first, which changes what is usual before the others.
backwards = hub.path("backwards")
hub.ask("import", "--data", backwards, hub.path("all.irc"))
for hour in (2, 0, 1):
    hub.ask("batch", "--data", backwards, "--from", START + hour * HOUR, "--to", START + (hour + 1) * HOUR)
assert rows(backwards) == speed, "hours counted in another order give other moments"

# What somebody has spoilt is put right, and told before.
def change(data, statement):
    with contextlib.closing(sqlite3.connect(f"{data}/hubbub.db")) as store, store:
        store.execute(statement)


change(backwards, "update moments set score = 99 where minute = (select min(minute) from moments)")
change(backwards, "insert into moments select minute + 60, channel, 8, 9, 9, 9, '[]', layer from moments")
out, _ = hub.ask("verify", "--data", backwards, expect=1)
assert re.search(r"^moments +0 +0 +%d$" % (len(speed) + 1), out, re.M), out
hub.ask("batch", "--data", backwards, "--from", START)
assert rows(backwards) == speed

# Live: half hours come in one after the other while the speed layer runs; moments are found beside it, in their minutes.
live = hub.path("live")
halves = collections.defaultdict(list)
for at, line in merged:
    halves[at // 1000 // (HOUR // 2)].append(line)
first, *others = (b"".join(halves[half]) for half in sorted(halves))
hub.ask("import", "--data", live, "-", stdin=first)
process = hub.start("process", "--data", live)
for half in others:
    hub.ask("import", "--data", live, "-", stdin=half)
hub.until(lambda: numbers(live) == numbers(data), "the same moments as in one go, but for words of the hours that go on")
assert hub.stop(process) == 0
hub.ask("process", "--data", live, "--until-end")
assert rows(live) == speed, "after the end, words are not told against the whole hours"
hub.ask("batch", "--data", live, "--from", START)
assert rows(live) == speed

# Over HTTP.
server = hub.start("serve", "--data", live, "--listen", "127.0.0.1:0")
address = hub.until(lambda: re.search(r"http://[\d.:]+", hub.said("serve")), "the server's address").group(0)
with urllib.request.urlopen(f"{address}/api/v1/moments?from={START}&to={END}") as reply:
    answer = json.load(reply)
assert answer["rows"] == sorted(moments(live), key=lambda row: (row["time"], row["channel"]))
with urllib.request.urlopen(f"{address}/api/v1/channels/{channels[0]}/moments?from={START}&to={END}&limit=1") as reply:
    answer = json.load(reply)
assert len(answer["rows"]) == 1 and answer["channel"] == channels[0] and "channel" not in answer["rows"][0]
hub.stop(server)
hub.passed()
