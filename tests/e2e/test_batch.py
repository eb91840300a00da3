"""The batch layer: late facts and duplicates settled, equal to the slow reference; killed at any moment, each hour is
whole; hours of imports and of older versions recomputed; the schedule of `hubbub run`."""
import collections
import contextlib
import glob
import os
import random
import re
import shutil
import signal
import sqlite3
import time

import hub

LINES, START, HOUR = 60_000, 1_764_000_000, 3600
dice = random.Random(3)
TABLES = {"wordcount": "minute / 3600 * 3600", "viewers": "minute / 3600 * 3600", "wordfreq": "hour",
          "msgperuser": "hour", "sheets": "hour"}


def dump(data):
    """{hour: all its rows}"""
    hours = collections.defaultdict(list)
    for table, hour in TABLES.items():
        for row in hub.query(data, f"select {hour}, * from {table} order by 1, 2, 3, 4"):
            hours[row[0]].append((table, *row[1:]))
    return dict(hours)


def without_layer(hours):
    return {hour: sorted([tuple(value for value in row if value not in ("speed", "batch")) for row in rows], key=repr)
            for hour, rows in hours.items()}


def change(data, statement):
    with contextlib.closing(sqlite3.connect(f"{data}/hubbub.db")) as store, store:
        store.execute(statement)


def write(name, lines):
    with open(hub.path(name), "wb") as out:
        out.writelines(lines)
    return hub.path(name)


hub.ask("simulate", "--channels", 30, "--seed", 3, "--rate", 6, "--count", LINES, "--start", START, "--viewers",
        "--emotes", "--write", hub.path("lines.irc"))
with open(hub.path("lines.irc"), "rb") as text:
    lines = text.readlines()


def sent_s(line):
    return int(re.search(rb"(?:tmi-sent-ts|rm-received-ts)=(\d+)", line).group(1)) // 1000


# 1 % twice, up to some minutes later (what overlapping connections do), 1 % not there until later. The last hour has no
# late facts: it is still open.
last_hour = sent_s(lines[-1]) // HOUR * HOUR
early, late, doubled = [], [], 0
for line in lines:
    if b" PRIVMSG " in line and dice.random() < 0.01:
        early.append(line)
        at = max(0, len(early) - dice.randrange(1, 2000))
        early.insert(at, line)
        doubled += 1
    elif b" PRIVMSG " in line and dice.random() < 0.01 and sent_s(line) < last_hour:
        late.append(line)
    else:
        early.append(line)

data = hub.path("data")
hub.ask("import", "--data", data, write("early.irc", early))
hub.ask("process", "--data", data, "--until-end", "--top", "all")
hub.ask("import", "--data", data, write("late.irc", late))
hub.ask("process", "--data", data, "--until-end", "--top", "all")
counted_late = hub.query(data, "select sum(late) from progress where layer = 'speed'")[0][0]
assert counted_late == len(late), f"the speed layer calls {counted_late} facts late, not {len(late)}"
out, _ = hub.ask("verify", "--data", data, "--top", "all", expect=1)
print(out)
assert re.search(r"^wordcount +[1-9][\d,]* +0 +0$", out, re.M), out
shutil.copytree(data, hub.path("old"))

_, err = hub.ask("batch", "--data", data, "--top", "all")
print(err)
found = re.search(r"recomputed (\d+) hours.*?([\d,]+) duplicates, ([\d,]+) late facts now counted, ([\d,]+) values", err)
hours = len(dump(data))
assert found, err
assert [int(value.replace(",", "")) for value in found.groups()[:3]] == [hours, doubled, len(late)], err
assert int(found.group(4).replace(",", "")) > len(late), err
out, _ = hub.ask("verify", "--data", data, "--top", "all")
assert re.match(r"0 of [\d,]+ values differ", out), out
assert "nothing to recompute" in hub.ask("batch", "--data", data)[1]
assert all({row[0] for row in hub.query(data, f"select distinct layer from {table}")} == {"batch"} for table in TABLES)
new = dump(data)

# The slow reference agrees.
try:
    import icu  # noqa: F401 - the reference's words need it
    import reference
    views = reference.read(write("all.irc", early + late))
    wrong = reference.compare_with_store(views, f"{data}/hubbub.db")
    assert not wrong, f"{len(wrong)} values differ from the reference, such as {wrong[:5]}"
    assert views.duplicates == doubled
    print(f"{views.messages} messages, no value differs from the reference")
except ImportError:
    print("without the slow reference: it needs PyICU (Debian package python3-icu)")

# What the log alone holds, with other numbers of threads, and with the lines in another order.
dice.shuffle(early)
for jobs, text in ((1, "all.irc"), (3, "shuffled.irc")):
    other = hub.path(f"jobs{jobs}")
    hub.ask("import", "--data", other, write(text, early + late if jobs == 1 else late + early))
    hub.ask("batch", "--data", other, "--top", "all", "--jobs", jobs)
    assert dump(other) == new, f"--jobs {jobs} gives other rows"

# A range, and hours of an older version.
first = min(new)
change(data, "update wordcount set words = words + 1 where minute = (select min(minute) from wordcount)")
assert re.search(r"^wordcount +0 +[1-9]\d* +0$", hub.ask("verify", "--data", data, "--top", "all", expect=1)[0], re.M)
_, err = hub.ask("batch", "--data", data, "--top", "all", "--from", first + 60, "--to", first + 61)
assert "recomputed 1 hour," in err, err
assert dump(data) == new
change(data, f"update sheets set words_version = 0 where hour = {first + HOUR}")
_, err = hub.ask("batch", "--data", data, "--top", "all", "--outdated")
assert "recomputed 1 hour," in err and " 0 values corrected" in err, err
assert "nothing to recompute" in hub.ask("batch", "--data", data, "--outdated")[1]
assert dump(data) == new
assert "before --to" in hub.ask("batch", "--data", data, "--from", first, "--to", first, expect=2)[1]

# Killed at any moment.
old = dump(hub.path("old"))
mixed = collections.Counter()
for round_number in range(20):
    victim = hub.path("victim")
    shutil.copytree(hub.path("old"), victim)
    batch = hub.start("batch", "--data", victim, "--top", "all", "--jobs", 1 + round_number % 2, name="victim-batch")
    time.sleep(dice.uniform(0, 1.0) ** 2)
    hub.stop(batch, signal.SIGKILL)
    state = dump(victim)
    assert state.keys() == old.keys(), f"kill {round_number}: hours {state.keys()}"
    for hour, rows in state.items():
        assert rows in (old[hour], new[hour]), f"kill {round_number}: the hour {hour} is neither old nor new"
        mixed[rows == new[hour]] += 1
    assert hub.query(victim, "pragma integrity_check") == [("ok",)]
    hub.ask("batch", "--data", victim, "--top", "all")
    assert dump(victim) == new, f"after kill {round_number}"
    shutil.rmtree(victim)
print(f"20 kills left {mixed[False]} hours old and {mixed[True]} new, none mixed")

# A running processor catches up by itself; meanwhile another writer is refused, and verify is not. Hours of the past are
# taken once they rest.
for part in glob.glob(hub.path("old/log/*.irc*")):
    os.utime(part, (START, START))
run = hub.start("process", "--data", hub.path("old"), "--top", "all")
hub.until(lambda: len(hub.query(hub.path("old"), "select * from batch_hours")) == hours, "all hours recomputed")
assert "another hubbub is writing" in hub.ask("batch", "--data", hub.path("old"), expect=1)[1]
hub.ask("verify", "--data", hub.path("old"), "--top", "all")
assert hub.stop(run) == 0
assert dump(hub.path("old")) == new
hub.passed()
