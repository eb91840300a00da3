"""cat and export: what is read back, by channel, user, text and time, is what went in; with an index and without one; and
every word and user is exported, in three formats that agree."""
import collections
import csv
import glob
import io
import json
import os
import random
import subprocess
import sys
import venv

import hub

HOUR_MS = 1763999999999 // 3600000 * 3600000  # 2025-11-24T15, long over
HOURS, MESSAGES, CHANNELS, USERS = 3, 30000, 40, 4000
STARTS = ["Hello", "HELLO", "straße", "ｈｅｌｌｏ", 'bye, "all"']
random.seed(5)

messages, lines = [], []
for number in range(MESSAGES):
    message = {
        "time_ms": HOUR_MS + number * HOURS * 3600000 // MESSAGES, "id": f"id-{number}",
        "channel": f"channel{min(random.randrange(CHANNELS), random.randrange(CHANNELS))}",
        "user": random.randrange(USERS),
        "text": f"{random.choice(STARTS)} {random.getrandbits(64):x}",
        "deleted": False}
    messages.append(message)
    lines.append("@display-name=User{user};id={id};tmi-sent-ts={time_ms};user-id=1{user} "
                 ":user{user}!u@u PRIVMSG #{channel} :{text}".format(**message))
    if number % 100 == 99:
        gone = messages[number - 50]
        gone["deleted"] = True
        lines.append(f"@login=user{gone['user']};target-msg-id={gone['id']};tmi-sent-ts={message['time_ms']} "
                     f":tmi.twitch.tv CLEARMSG #{gone['channel']} :{gone['text']}")
    if number % 70 == 0:
        lines.append(lines[-1])  # received twice
with open(hub.path("in"), "w", encoding="utf-8") as file:
    file.write("\r\n".join(lines) + "\r\n")
data = hub.path("data")
hub.ask("import", "--data", data, hub.path("in"))
indexes = glob.glob(f"{data}/log/*.index")
assert not indexes, indexes


def cat(*arguments):
    return [json.loads(line) for line in hub.ask("cat", "--data", data, "--format", "json", *arguments)[0].splitlines()]


def same(rows, wanted):
    assert [row["id"] for row in rows] == [message["id"] for message in wanted]
    for row, message in zip(rows, wanted):
        assert row["channel"] == message["channel"] and row["login"] == f"user{message['user']}"
        assert row["deleted"] == message["deleted"]
        assert row["text"] == ("" if message["deleted"] else message["text"])


# ---- cat: the first search makes the indexes, the second uses them, the third has to do with broken ones
for attempt in range(3):
    for user in random.sample(range(USERS), 4):
        same(cat("--user", f"User{user}"), [m for m in messages if m["user"] == user])
        same(cat("--user", f"1{user}", "--channel", "channel3"),
             [m for m in messages if m["user"] == user and m["channel"] == "channel3"])
    same(cat("--channel", "channel30"), [m for m in messages if m["channel"] == "channel30"])
    same(cat("--text", "hello", "--channel", "channel5"),
         [m for m in messages if m["channel"] == "channel5" and m["text"].split()[0] in ("Hello", "HELLO", "ｈｅｌｌｏ")])
    same(cat("--text", "STRASSE", "--from", "2025-11-24T16:30", "--to", "2025-11-24T17:10"),
         [m for m in messages if "straße" in m["text"] and 5400000 <= m["time_ms"] - HOUR_MS < 7800000])
    if attempt == 1:
        indexes = glob.glob(f"{data}/log/*.index")
        assert len(indexes) == HOURS, indexes
        for at, name in enumerate(indexes):
            with open(name, "r+b") as file:
                file.seek(70 if at == 0 else os.path.getsize(name) // 2)
                file.write(b"damage") if at < 2 else file.truncate(100)
assert len(hub.ask("cat", "--data", data)[0].splitlines()) == len(lines)
hub.ask("cat", "--data", data, "--text", "\u200b", expect=2)

# ---- export: messages
out = hub.ask("export", "messages", "--data", data, "--format", "json", "--channel", "channel30")[0]
same([json.loads(line) for line in out.splitlines()], [m for m in messages if m["channel"] == "channel30"])
out = hub.ask("export", "messages", "--data", data, "--deleted")[0]
rows = list(csv.DictReader(io.StringIO(out, newline="")))
assert [(row["id"], row["text"], row["deleted"]) for row in rows] == \
    [(m["id"], m["text"], str(m["deleted"]).lower()) for m in messages]

# ---- export: views
process = hub.start("process", "--data", data, "--top", "5")
hub.until(lambda: sum(count for (count,) in hub.query(data, "select messages from wordcount")) == MESSAGES, "the counts")
hub.stop(process)
probe = subprocess.run([hub.HUBBUB, "export", "wordcount", "--data", data, "--format", "parquet"], capture_output=True,
                       env=hub.environment(), check=False)
has_parquet = probe.returncode == 0
assert has_parquet or b"this hubbub was built without Parquet" in probe.stderr, probe.stderr


def exported(view, form, *arguments):
    name = hub.path(f"{view}.{form}")
    err = hub.ask("export", view, "--data", data, "--format", form, "--output", name, *arguments)[1]
    assert f"rows to {name}" in err, err
    assert not os.path.exists(f"{name}.unfinished")
    if form == "csv":
        with open(name, encoding="utf-8", newline="") as table:
            return list(csv.DictReader(table))
    with open(name, encoding="utf-8") as table:
        return [json.loads(line) for line in table]


def as_text(row):
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in row.items()}


tables = {}
for view in ("wordcount", "wordfreq", "msgperuser", "viewers", "messages"):
    tables[view] = exported(view, "json")
    assert exported(view, "csv") == [as_text(row) for row in tables[view]], view
assert sum(row["messages"] for row in tables["wordcount"]) == MESSAGES
users = collections.Counter((m["time_ms"] // 3600000, m["channel"], f"1{m['user']}") for m in messages)
assert len(tables["msgperuser"]) == len(users)  # every one, though the store has rows of the top 5
assert sum(row["messages"] for row in tables["msgperuser"]) == MESSAGES
words = sum(row["count"] for row in tables["wordfreq"])
assert words == sum(row["words"] for row in tables["wordcount"]) > MESSAGES * 2
assert len(tables["wordfreq"]) > MESSAGES
assert {row["channel"] for row in exported("msgperuser", "json", "--channel", "Channel7")} == {"channel7"}
hub.ask("export", "everything", "--data", data, expect=2)
hub.ask("export", "wordcount", "--data", data, "--output", hub.path("no/folder"), expect=1)
subprocess.run(f"'{hub.HUBBUB}' export wordfreq --data '{data}' | head -n 1", shell=True, check=True, capture_output=True)

# ---- Parquet, by a reader of its own
if not has_parquet:
    hub.skip("all but Parquet was tested: this hubbub was built without it")
place = os.path.join(os.path.dirname(hub.HUBBUB), "pyarrow-venv")
python = os.path.join(place, "bin", "python")
try:
    if not os.path.exists(os.path.join(place, "ready")):
        venv.create(place, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "pyarrow"], check=True, capture_output=True, timeout=100)
        open(os.path.join(place, "ready"), "w", encoding="ascii").close()
except (OSError, subprocess.SubprocessError):
    hub.skip("all but Parquet was tested: pyarrow, which reads it, could not be installed")
READ = """
import json, sys, pyarrow.parquet
for row in pyarrow.parquet.read_table(sys.argv[1]).to_pylist():
    for key, value in row.items():
        if hasattr(value, "isoformat"):
            digits = "milliseconds" if sys.argv[2] == "messages" else "seconds"
            row[key] = value.isoformat(timespec=digits).replace("+00:00", "Z")
    print(json.dumps(row))
"""
for view, rows in tables.items():
    name = hub.path(f"{view}.parquet")
    hub.ask("export", view, "--data", data, "--format", "parquet", "--output", name)
    read = subprocess.run([python, "-c", READ, name, view], capture_output=True, check=True).stdout
    assert [json.loads(line) for line in read.splitlines()] == rows, view
hub.passed()
sys.exit(0)
