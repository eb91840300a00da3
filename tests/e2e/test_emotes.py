"""Emotes of BetterTTV, FrankerFaceZ and 7TV: asked of the simulated services, kept as facts, counted; the speed layer, the
batch layer and the slow reference agree; and everything that can go wrong with the services."""
import collections
import json
import re
import shutil
import time
import urllib.request

import hub

try:
    import icu  # noqa: F401 - the reference's words need it
except ImportError:
    hub.skip("the slow reference needs PyICU (Debian package python3-icu)")
import reference

CHANNELS, SEED = 12, 5
names = hub.ask("simulate", "--print-channels", "--channels", CHANNELS, "--seed", SEED)[0].split()
channels = hub.channels_file("--channels", CHANNELS, "--seed", SEED)
services = hub.free_port()
_, irc = hub.simulator("--channels", CHANNELS, "--seed", SEED, "--rate", 800, "--helix-listen", f"127.0.0.1:{services}")


def api(query=""):
    with urllib.request.urlopen(f"http://127.0.0.1:{services}/control?{query}", timeout=10) as answer:
        return json.load(answer)


def asking(where):
    return [part for name in ("bttv", "ffz", "7tv") for part in ("--emotes", f"{name}={where}")]


def start_run(name, *arguments, data=None):
    return hub.start("run", "--channels-file", channels, "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--data",
                     data or hub.path(name), "--listen", f"127.0.0.1:{port}", *arguments, name=name)


def metric(name):
    return hub.metric(port, f"hubbub_emotes_{name}_total")


def emote_lines(data):
    """In each hour as many as there are channels; more once their emotes have changed."""
    return [line for line in hub.log_lines(data) if b" :hubbub EMOTES #" in line]


def sets_of(lines):
    """The latest names of each channel."""
    return {line.split(b" EMOTES #")[1].split()[0].decode(): set(line.decode().rsplit(" :", 1)[1].split()) for line in lines}


here = asking(f"http://127.0.0.1:{services}/")

# The sets come, and are told once a channel; what is said with them counts as emotes from then on.
port, data = hub.free_port(), hub.path("first")
run = start_run("first", *here)
hub.until(lambda: metric("facts") >= CHANNELS, "all channels' emotes")
assert metric("calls") == 3 * (CHANNELS + 1) and metric("errors") == 0
hub.until(lambda: len(hub.rows(port, "/api/v1/channels")) == CHANNELS, "all channels in the store")


def ranked():
    return {row["word"]: row["count"] for row in hub.rows(port, f"/api/v1/channels/{names[0]}/words?kind=emote&limit=1000")}


told = hub.until(lambda: len(sets_of(emote_lines(data))) == CHANNELS and sets_of(emote_lines(data)), "facts in the log")
others = told[names[0]]
assert "KEKW" in others and "the" not in others, others
hub.until(lambda: sum(count for word, count in ranked().items() if word in others) > 50, "emotes that are counted")
time.sleep(1)
assert hub.stop(run) == 0

# An hour that is over, of the same lines: the reference, the speed layer and the batch layer agree, value by value.
lines = list(hub.log_lines(data))
assert sets_of(emote_lines(data)) == told
shifted = [re.sub(rb"((?:rm-received|tmi-sent)-ts=)(\d+)", lambda match: match[1] + b"%d" % (int(match[2]) - 6 * 3600000), line)
           for line in lines]
with open(hub.path("lines.irc"), "wb") as out:
    out.writelines(line + b"\n" for line in shifted)
past = hub.path("past")
hub.ask("import", "--data", past, hub.path("lines.irc"))
hub.ask("process", "--data", past, "--until-end", "--top", "all")
views = reference.read(hub.path("lines.irc"))
wrong = reference.compare_with_store(views, f"{past}/hubbub.db")
assert not wrong, wrong[:10]
kinds = collections.Counter()
for (_, _, kind, word), count in views.words.items():
    if word in others:
        kinds[kind] += count
assert kinds["emote"] > 200 and kinds["word"] < kinds["emote"], kinds
err = hub.ask("verify", "--data", past, "--top", "all")
assert re.search(r"^0 of [1-9][0-9,]* values differ", "".join(err)), err
for scale in (1, 3):  # batch alone, and an order of lines that is another
    again = hub.path(f"again{scale}")
    with open(hub.path("other.irc"), "wb") as out:
        out.writelines(line + b"\n" for line in sorted(shifted, key=lambda line: line[-scale:]))
    hub.ask("import", "--data", again, hub.path("other.irc"))
    hub.ask("batch", "--data", again, "--top", "all")
    wrong = reference.compare_with_store(views, f"{again}/hubbub.db")
    assert not wrong, wrong[:10]
assert hub.ask("cat", "--data", past, "--format", "raw")[0].count(" :hubbub EMOTES #") == len(emote_lines(data))
assert "EMOTES" not in hub.ask("cat", "--data", past, "--format", "text")[0]
exported = [json.loads(line) for line in hub.ask("export", "messages", "--data", past, "--format", "json")[0].splitlines()]
assert len(exported) == sum(b" PRIVMSG #" in line for line in lines)
print(f"{len(lines)} lines, {kinds['emote']} of the emotes of {names[0]}'s set")

# Services that cannot be reached: said once each, and what is on the disk counts on.
port = hub.free_port()
run = start_run("unreachable", *asking(f"http://127.0.0.1:{hub.free_port()}"), data=data)
hub.until(lambda: metric("facts") >= CHANNELS, "emotes from the disk")
assert hub.stop(run) == 0
assert len(emote_lines(data)) >= 2 * CHANNELS and sets_of(emote_lines(data)) == told
shutil.rmtree(f"{data}/emotes")
port = hub.free_port()
run = start_run("without", *asking(f"http://127.0.0.1:{hub.free_port()}"), data=data)
hub.until(lambda: hub.said("without").count("cannot be had") == 3, "that services are unreachable")
hub.until(lambda: any(row["messages_per_minute"] for row in hub.rows(port, "/api/v1/channels")), "chat all the same")
assert metric("facts") == 0 and metric("errors") >= 9
assert all(title in hub.said("without") for title in ("BetterTTV", "FrankerFaceZ", "7TV"))
assert hub.stop(run) == 0

# Answers that are none, and longer than any should be: got over; emotes of another season come after them.
port = hub.free_port()
api("emotes-answer=500&times=3&emotes-season=4")
run = start_run("faults", *here)
for what, count in (("emotes-answer=malformed&times=2", 3), ("emotes-answer=huge", 5), ("emotes-answer=429", 6)):
    hub.until(lambda: metric("errors") >= count, f"failures before {what}", 40)
    api(what)
hub.until(lambda: metric("errors") >= 7, "the last failure")
hub.until(lambda: metric("facts") >= CHANNELS and
          sets_of(emote_lines(hub.path("faults"))).get(names[0], set()) >= {"KEKW", "Sadge", "POGGERS"}, "emotes at last", 40)
assert hub.stop(run) == 0
latest = sets_of(emote_lines(hub.path("faults")))[names[0]]
assert latest != others and len(latest & others) > 20

# Nobody is asked unless the chat is Twitch's, or somebody says whom.
calls = api()["emotes_calls"]
for arguments in ([], ["--no-emotes", *here], ["--emotes", "bttv=off"]):
    port = hub.free_port()
    run = start_run(f"silent{len(arguments)}", *arguments, data=data)
    hub.until(lambda: any(row["messages_per_minute"] for row in hub.rows(port, "/api/v1/channels")), "chat")
    assert hub.stop(run) == 0
assert api()["emotes_calls"] == calls
for says, value in (("bttv=URL", "xyz=http://127.0.0.1"), ("URL", "bttv=nowhere"), ("KEY=VALUE", "bttv")):
    err = hub.ask("ingest", names[0], "--data", hub.path("none"), "--emotes", value, expect=2)[1]
    assert says in err and "--emotes" in err and err.count("\n") == 1, err
hub.passed()
