"""import and cat: every line where it belongs, whatever it comes packed in, beside others who append, and after kills."""
import gzip
import json
import random
import signal
import subprocess
import time

import hub

HOUR_MS = 1763999999999 // 3600000 * 3600000  # 2025-11-24T15, long over
random.seed(3)


def message(number, time_ms, channel="xqc", user=7, text="hello", tags=""):
    return (f"@display-name=User{user};id=id-{number};{tags}tmi-sent-ts={time_ms};user-id={user} "
            f":user{user}!user{user}@user{user}.tmi.twitch.tv PRIVMSG #{channel} :{text} {number}").encode()


def kept(line, time_ms):
    return line.replace(b"@", f"@rm-received-ts={time_ms};".encode(), 1)


def cat(data, *arguments):
    return hub.ask("cat", "--data", data, *arguments)[0].encode("utf-8", "surrogateescape").splitlines()


# ---- Plain, gzip, zstd, several in one, from a file and from standard input
lines = [message(i, HOUR_MS + random.randrange(7 * 3600000)) for i in range(30000)]
text = b"".join(line + b"\r\n" for line in lines)
half = text.index(b"\n", len(text) // 2) + 1


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


def by_hour(some):
    return sorted(some, key=lambda line: int(line.split(b"tmi-sent-ts=")[1].split(b";")[0]) // 3600000)


expected = [kept(line, int(line.split(b"tmi-sent-ts=")[1].split(b";")[0])) for line in by_hour(lines)]
packed = {
    "plain": text,
    "gzip": gzip.compress(text, 1),
    "zstd": zstd(text),
    "mixed": gzip.compress(text[:half], 1) + zstd(text[half:]),
}
for name, data in packed.items():
    with open(hub.path(f"{name}.in"), "wb") as file:
        file.write(data)
    err = hub.ask("import", "--data", hub.path(name), hub.path(f"{name}.in"))[1]
    assert "imported 30,000 facts" in err and "left out" not in err, err
    assert cat(hub.path(name)) == expected, name
    err = hub.ask("import", "--data", hub.path(f"{name}-stdin"), "-", stdin=data)[1]
    assert "imported 30,000 facts" in err, err
    assert list(hub.log_lines(hub.path(f"{name}-stdin"))) == expected, name

# What breaks off is imported as far as it goes, and said.
for name in ("gzip", "zstd", "mixed"):
    err = hub.ask("import", "--data", hub.path(f"{name}-cut"), "-", stdin=packed[name][:-200], expect=1)[1]
    assert "standard input is cut off" in err and "imported 2" in err, err
    some = cat(hub.path(f"{name}-cut"))
    assert 20000 < len(some) < 30000 and set(some) < set(expected), f"{name}: {len(some)}"

# What is no fact is counted and left out; the rest is there.
odd = b"\r\n".join([b"PING :tmi.twitch.tv", message(1, HOUR_MS), b"", b"x" * 200000, b"@@@", b"a\0b",
                    message(2, HOUR_MS), b":x 001 you :hi", message(3, HOUR_MS, text="x" * 66000), message(4, HOUR_MS)])
err = hub.ask("import", "--data", hub.path("odd"), "-", stdin=odd)[1]
assert "imported 3 facts" in err and "2 lines that are no facts" in err, err
assert "2 lines that are no IRC" in err and "2 lines longer than 64 KiB" in err, err
assert len(cat(hub.path("odd"))) == 3
err = hub.ask("import", "--data", hub.path("garbage"), "-", stdin=random.randbytes(100000), expect=1)[1]
assert "holds no facts" in err, err
assert "imported? Name a file" in hub.ask("import", "--data", hub.path("odd"), expect=2)[1]

# A disk that is full (a limit on the size of files does the same): what is there is what is said to be there.
for name, time_ms in (("old", HOUR_MS), ("now", int(time.time() * 1000))):
    with open(hub.path(f"{name}.in"), "wb") as file:
        file.write(b"".join(message(i, time_ms, user=random.randrange(10**9)) + b"\n" for i in range(30000)))
    done = subprocess.run(["bash", "-c", f"trap '' XFSZ; ulimit -f 64; exec '{hub.HUBBUB}' import --data "
                           f"'{hub.path(name)}-full' '{hub.path(name)}.in'"], capture_output=True, check=False)
    err = done.stderr.decode()
    there = len(cat(hub.path(f"{name}-full")))
    assert done.returncode == 1 and f"imported {there:,} facts" in err, f"{there}: {err}"
    assert f"{30000 - there} facts could not be written" in err and "File too large" in err, err

# ---- Choosing, and what moderators removed
minute = HOUR_MS + 60000
told = [
    message(1, minute, text="first"),
    message(2, minute + 1, user=8, text="\x1b[31mred\x07"),
    message(3, minute + 2, channel="xqcow", text="elsewhere"),
    message(4, minute + 3, text="\x01ACTION waves").replace(b"waves 4", b"waves\x01"),
    message(5, minute + 4, user=9, tags="room-id=1;source-room-id=2;", text="shared"),
    f"@login=user8;target-msg-id=id-2;tmi-sent-ts={minute + 5} :tmi.twitch.tv CLEARMSG #xqc :red".encode(),
    f"@target-user-id=9;tmi-sent-ts={minute + 3600000} :tmi.twitch.tv CLEARCHAT #xqc :user9".encode(),
    message(6, minute + 3600001, user=9, text="back"),
]
hub.ask("import", "--data", hub.path("told"), "-", stdin=b"\n".join(told))
assert len(cat(hub.path("told"))) == 8
assert len(cat(hub.path("told"), "--channel", "#XQC")) == 7
assert cat(hub.path("told"), "--channel", "xqcow") == [kept(told[2], minute + 2)]
assert len(cat(hub.path("told"), "--user", "User9")) == len(cat(hub.path("told"), "--user", "9")) == 3
assert len(cat(hub.path("told"), "--from", (minute + 3600000) // 1000)) == 2
assert len(cat(hub.path("told"), "--to", minute // 1000 + 3600)) == 6
stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(minute // 1000)).encode()
later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(minute // 1000 + 3600)).encode()
shown = cat(hub.path("told"), "--format", "text")
assert shown == [
    stamp + b" #xqc User7: first 1",
    stamp + b" #xqc User8: [deleted]",
    stamp + b" #xqcow User7: elsewhere 3",
    stamp + b" #xqc * User7 waves",
    stamp + b" #xqc User9: [shared] [deleted]",
    later + b" #xqc User9: back 6",
], shown
shown = cat(hub.path("told"), "--format", "text", "--deleted", "--user", "8")
assert shown == [stamp + b" #xqc User8: [deleted] ^[[31mred^G 2"], shown
row = json.loads(cat(hub.path("told"), "--format", "json", "--user", "9")[0])
assert row["deleted"] and row["text"] == "" and row["shared"] and row["channel"] == "xqc", row
assert row["time"] == stamp.decode()[:-1] + ".004Z", row
row = json.loads(cat(hub.path("told"), "--format", "json", "--user", "9", "--deleted")[0])
assert row["text"] == "shared 5", row
assert "--format" in hub.ask("cat", "--data", hub.path("told"), "--format", "xml", expect=2)[1]
assert "--from" in hub.ask("cat", "--data", hub.path("told"), "--from", 10, "--to", 5, expect=2)[1]

# A reader that goes away is no error.
done = subprocess.run(["bash", "-c", f"'{hub.HUBBUB}' cat --data '{hub.path('plain')}' | head -1; echo ${{PIPESTATUS[0]}}"],
                      capture_output=True, check=True)
assert done.stdout == expected[0] + b"\n0\n" and done.stderr == b"", done

# ---- Following, while another process imports
follower = hub.start("cat", "--data", hub.path("told"), "--follow", name="follow")
hub.until(lambda: open(hub.path("follow.out"), "rb").read().count(b"\n") == 8, "the eight lines that are there")
now_ms = int(time.time() * 1000)
feed = subprocess.Popen([hub.HUBBUB, "import", "--data", hub.path("told"), "-"], stdin=subprocess.PIPE,
                        stderr=subprocess.DEVNULL, env=hub.environment())
hub.running.append(feed)
for number, time_ms in enumerate((now_ms, minute + 10, HOUR_MS - 3600000 * 50), start=100):
    feed.stdin.write(message(number, time_ms) + b"\n")
    feed.stdin.flush()
    wanted = kept(message(number, time_ms), time_ms)
    hub.until(lambda: wanted in open(hub.path("follow.out"), "rb").read(), "a line of a pipe that stays open", 10)
feed.stdin.close()
assert feed.wait(10) == 0
hub.stop(follower)

# ---- Several imports at once into the same hours, some of them killed: what is there is whole, and in order
lines = [[message(f"{writer}-{i}", HOUR_MS + i * 100) for i in range(20000 if writer > 1 else 200000)]
         for writer in range(4)]
for writer in range(4):
    with open(hub.path(f"writer{writer}"), "wb") as file:
        file.write(b"\n".join(lines[writer]))
importers = [hub.start("import", "--data", hub.path("many"), hub.path(f"writer{writer}")) for writer in range(4)]
for importer in importers[:2]:
    time.sleep(0.15)
    importer.send_signal(signal.SIGKILL)
for importer in importers:
    importer.wait(60)
assert [importer.returncode for importer in importers[2:]] == [0, 0]
there = cat(hub.path("many"))
assert len(set(there)) == len(there)
whole = [set(kept(line, HOUR_MS + i * 100) for i, line in enumerate(part)) for part in lines]
assert whole[2] | whole[3] <= set(there) <= set().union(*whole)
assert list(hub.log_lines(hub.path("many"))) == there
print(f"of 2 killed imports, {len(there) - 40000} of 400000 lines are there")
hub.passed()
