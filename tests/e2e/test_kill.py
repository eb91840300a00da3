"""SIGKILL again and again under load: after each next start, the counts equal what the log holds."""
import collections
import random
import signal
import time

import hub

ROUNDS, RATE, CHANNELS = 8, 4_000, 40
dice = random.Random(5)

_, irc = hub.simulator("--channels", CHANNELS, "--seed", 5, "--rate", RATE)
channels = hub.channels_file("--channels", CHANNELS, "--seed", 5)
data = hub.path("data")


def messages_in_log():
    """{(channel, minute): messages}, each id once, copies of Shared Chat told apart."""
    seen, counts = set(), collections.Counter()
    for line in hub.log_lines(data):
        if b" PRIVMSG #" not in line:
            continue
        tags = dict(tag.partition(b"=")[::2] for tag in line[1:line.index(b" ")].split(b";"))
        channel = line.split(b" PRIVMSG #", 1)[1].split(b" ", 1)[0].lower()
        if (channel, tags[b"id"]) in seen:
            continue
        seen.add((channel, tags[b"id"]))
        minute = int(tags[b"tmi-sent-ts"]) // 60000 * 60
        shared = tags.get(b"source-room-id", tags[b"room-id"]) != tags[b"room-id"]
        counts[channel.decode(), minute, shared] += 1
    return counts


def messages_in_store():
    counts = collections.Counter()
    for channel, minute, messages, shared in hub.query(data, "select channel, minute, messages, shared from wordcount"):
        counts[channel, minute, False] += messages
        counts[channel, minute, True] += shared
    return +counts


for round_number in range(ROUNDS):
    port = hub.free_port()
    run = hub.start("run", "--channels-file", channels, "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--data", data,
                    "--listen", f"127.0.0.1:{port}")
    hub.until(lambda: hub.get(port, "/healthz")[0] == 200 and hub.metric(port, "hubbub_messages_total") > 0,
              f"facts after start {round_number}")
    time.sleep(dice.uniform(0.3, 3.0))
    if round_number % 2 == 0:
        hub.stop(run, signal.SIGKILL)
        # What a crash can leave behind at the log's very end.
        if round_number % 4 == 0:
            part = sorted(hub.glob.glob(f"{data}/log/*.irc"))[-1]
            with open(part, "ab") as log:
                log.write(b"@id=torn;tmi-sent-ts=1 :a!a@a PRIVM")
        hub.ask("process", "--data", data, "--until-end")
    else:
        # Killed while it still catches up from the last kill.
        hub.stop(run, signal.SIGKILL)
        again = hub.start("run", "--channels-file", channels, "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--data",
                          data, "--listen", f"127.0.0.1:{port}")
        time.sleep(dice.uniform(0.02, 0.4))
        hub.stop(again, signal.SIGKILL)
        hub.ask("process", "--data", data, "--until-end")
    expected, found = messages_in_log(), messages_in_store()
    wrong = [(key, expected[key], found[key]) for key in expected.keys() | found.keys() if expected[key] != found[key]]
    assert not wrong, f"start {round_number}: {len(wrong)} minutes differ, such as {sorted(wrong)[:3]}"
    assert hub.query(data, "pragma integrity_check") == [("ok",)]

print(f"{ROUNDS} kills, {sum(expected.values())} messages, every minute as the log holds it")
hub.passed()
