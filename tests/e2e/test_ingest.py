"""hubbub ingest alone: a RECONNECT under load loses nothing, SIGHUP changes the channels, a bad token ends it."""
import os
import re
import signal

import hub

CHANNELS, RATE, COUNT = 120, 2000, 16_000

# RECONNECT to all connections in the middle of the chat: each message is in the log, what came twice has the same id.
simulator, irc = hub.simulator("--channels", CHANNELS, "--seed", 5, "--rate", RATE, "--count", COUNT, "--wait-joins",
                               CHANNELS)
channels = hub.channels_file("--channels", CHANNELS, "--seed", 5)
data = hub.path("data")
ingest = hub.start("ingest", "--channels-file", channels, "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--data", data)
hub.until(lambda: f"joined {CHANNELS} of {CHANNELS}" in hub.said("ingest"), "all channels joined")
simulator.send_signal(signal.SIGUSR1)
hub.until(lambda: "will be replaced" in hub.said("ingest"), "the new connections")
hub.until(lambda: f"all {COUNT} messages are sent" in hub.said("simulate"), "the last message", within=60)


def message_ids():
    return [re.search(rb"[@;]id=([^;]+)", line).group(1) for line in hub.log_lines(data) if b" PRIVMSG " in line]


hub.until(lambda: len(set(message_ids())) >= COUNT, "all messages in the log")
ids = message_ids()
assert len(set(ids)) == COUNT, f"{len(set(ids))} of {COUNT} messages are in the log"
assert "lost" not in hub.said("ingest").replace("nothing lost", ""), hub.said("ingest")
print(f"{COUNT} messages are in the log, {len(ids) - COUNT} of them twice")

# Connections that break come back by themselves.
simulator.send_signal(signal.SIGUSR2)
hub.until(lambda: f"joined {CHANNELS} of {CHANNELS} channels again" in hub.said("ingest"), "all joined again")
assert hub.said("ingest").count("is lost") + hub.said("ingest").count("are lost") == 1, hub.said("ingest")

# SIGHUP: the file as it is now; and when it is broken, as it was before.
with open(channels, encoding="utf-8") as lines:
    names = lines.read().split()
with open(channels, "w", encoding="utf-8") as lines:
    lines.write("# fewer\n" + "\n".join(names[:10]))
ingest.send_signal(signal.SIGHUP)
hub.until(lambda: "joined 10 of 10 channels" in hub.said("ingest"), "ten channels")
with open(channels, "a", encoding="utf-8") as lines:
    lines.write("\nno channel\n")
ingest.send_signal(signal.SIGHUP)
hub.until(lambda: "the channels stay as they were" in hub.said("ingest"), "the complaint")
assert "line 12: 'no channel'" in hub.said("ingest")
os.unlink(channels)
assert hub.stop(ingest) == 0

# A token that is refused.
_, irc = hub.simulator("--channels", 2, "--token", "right", name="strict")
with open(hub.path(".env"), "w", encoding="utf-8") as env:
    env.write("TWITCH_LOGIN=bot\nTWITCH_TOKEN=oauth:wrong\n")
out, err = hub.ask("ingest", "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--data", data, "somebody", expect=1,
                   timeout=30)
assert "Login authentication failed" in err and "TWITCH_TOKEN" in err and "wrong" not in err, err
os.unlink(hub.path(".env"))
hub.passed()
