"""What the tests with real servers share: Kafka, Cassandra and Spark, and the rows of both stores in one form.

The servers are those of deploy/local/cluster. Where HUBBUB_CLUSTER names a folder, the cluster of that folder is used and
left running (`./test` starts one for all tests); else a test has its own. Each test has its own topics and keyspaces.
"""
import atexit
import contextlib
import os
import random
import re
import sqlite3
import subprocess
import sys
import time

import hub

sys.path.insert(0, os.path.join(hub.SOURCE, "deploy", "local"))
import cql  # noqa: E402  (it lies there)

FOLDER = os.environ.get("HUBBUB_CLUSTER") or hub.path("cluster")
ME = f"{os.path.basename(sys.argv[0])[5:-3]}_{os.getpid()}"  # test_NAME.py
addresses = {}


def cluster(command, *services, expect=0):
    """Runs deploy/local/cluster; a test is skipped where that says that it cannot be done on this machine."""
    done = subprocess.run([f"{hub.SOURCE}/deploy/local/cluster", command, *services, "--dir", FOLDER],
                          capture_output=True, text=True, check=False)
    if done.returncode == 77:
        hub.skip(done.stderr.strip().splitlines()[-1].removeprefix("cluster: "))
    assert done.returncode == expect, f"cluster {command} {services}: {done.stdout}{done.stderr}"
    return done.stdout


def up(*services):
    """Starts what of these does not run yet, and learns the addresses."""
    if "HUBBUB_CLUSTER" not in os.environ:
        atexit.register(cluster, "down")
    cluster("up", *services)
    for line in cluster("env").splitlines():
        key, value = line.split("=", 1)
        addresses[key] = value.strip("'")
    os.environ.update({key: addresses[key] for key in ("JAVA_HOME", "SPARK_HOME") if key in addresses})


def log(name):
    """The address of a topic of this test's own."""
    return f"kafka://{addresses['KAFKA']}/{ME}_{name}"


def keyspace(name):
    return f"{ME}_{name}"


def store(name):
    """The address of a keyspace of this test's own."""
    return f"cassandra://{addresses['CASSANDRA']}/{keyspace(name)}"


def needs_cassandra():
    """Skips the test where hubbub was built without Cassandra."""
    os.makedirs(hub.path("nothing"))
    _, _, err = hub.try_to("process", "--log", hub.path("nothing"), "--store", store("probe"), "--until-end")
    if "built without" in err:
        hub.skip(err.strip())


def has_spark():
    """Whether there is the jar of the Spark jobs, which is built where there are a JDK of Java 17 and Maven."""
    return os.path.exists(os.path.join(os.path.dirname(hub.HUBBUB), "spark", "hubbub-spark.jar"))


def submit(command, *arguments):
    """Runs a layer on Spark to its end."""
    return hub.ask(command, "--on", addresses["SPARK"], *arguments, timeout=600)


# -- Facts ----------------------------------------------------------------------------------------------------------

def write_facts(path, count, channels=200, start=1_764_001_800, rate=40, seed=11, twice=0.01, bursts=20):
    """Writes chat in the order in which it was said: messages with copies of Shared Chat, deletions, viewer samples, emotes; and
    some messages twice, up to half a minute later, as connections that overlap bring them. Returns how many these are."""
    hub.ask("simulate", "--channels", channels, "--seed", seed, "--rate", rate, "--count", count, "--start", start,
            "--viewers", "--emotes", *(["--bursts", bursts] if bursts else []), "--write", path + ".once")
    dice, waiting, doubled = random.Random(seed), [], 0
    with open(path + ".once", "rb") as lines, open(path, "wb") as out:
        for number, line in enumerate(lines):
            out.write(line)
            while waiting and waiting[0][0] <= number:
                out.write(waiting.pop(0)[1])
            if b" PRIVMSG #" in line and dice.random() < twice:
                waiting.append((number + dice.randrange(1, 30 * rate), line))
                waiting.sort(key=lambda item: item[0])
                doubled += 1
        out.writelines(line for _, line in waiting)
    os.remove(path + ".once")
    return doubled


# -- Rows -----------------------------------------------------------------------------------------------------------

# The key's columns, then the others. Times are seconds, whatever the store keeps.
TABLES = {
    "wordcount": (("channel", "minute"), ("messages", "words", "chatters", "shared", "new_chatters", "subscriber_messages", "layer")),
    "viewers": (("channel", "minute"), ("viewers", "samples", "game", "title", "layer")),
    "moments": (("channel", "minute"), ("score", "messages", "chatters", "usual", "words", "layer")),
    "moments_by_day": (("channel", "minute"), ("score", "messages", "chatters", "usual", "words", "layer")),
    "wordfreq": (("channel", "hour", "kind", "word"), ("count", "layer")),
    "msgperuser": (("channel", "hour", "user_id"), ("user_name", "messages", "words", "minutes", "layer")),
    "topwords": (("channel", "hour", "kind", "rank"), ("word", "count", "layer")),
    "topusers": (("channel", "hour", "rank"), ("user_id", "user_name", "messages", "words", "layer")),
    "channels": (("channel",), ("room_id", "first_seen", "last_seen")),
    "sheets": (("channel", "hour"), ("sheet", "closed", "words_version", "layer")),
}
TIMES = {"minute", "hour", "first_seen", "last_seen"}


def by_key(table, rows):
    keys = len(TABLES[table][0])
    return {row[:keys]: row[keys:] for row in rows}


def ranked(rows, keys, measure, name):
    """Rows of the top 100 of each group: {(group…, rank): row}."""
    groups = {}
    for key, values in rows.items():
        groups.setdefault(key[:keys], []).append((-measure(values), name(key).encode(), key, values))
    for group, members in groups.items():
        for rank, (_, _, key, values) in enumerate(sorted(members)[:100], 1):
            yield (*group, rank), key, values


def rows_of_sqlite(data):
    """{table: {key: values}} of a SQLite store. topwords and topusers, which it lacks, are made of its rows."""
    found = {}
    with contextlib.closing(sqlite3.connect(f"file:{data}/hubbub.db?mode=ro", uri=True)) as database:
        for table, (key, values) in TABLES.items():
            if table in ("topwords", "topusers", "moments_by_day"):
                continue
            columns = ", ".join(key + values).replace("closed", "not open")
            found[table] = by_key(table, database.execute(f"select {columns} from {table}"))
    found["moments_by_day"] = found["moments"]
    found["topwords"] = {place: (key[3], *values) for place, key, values in
                         ranked(found["wordfreq"], 3, lambda values: values[0], lambda key: key[3])}
    found["topusers"] = {place: (key[2], values[0], values[1], values[2], values[4]) for place, key, values in
                         ranked(found["msgperuser"], 2, lambda values: values[1], lambda key: key[2])}
    return found


def in_seconds(row, times):
    row = list(row)
    for at in times:
        row[at] //= 1000
    return tuple(row)


def rows_of_cassandra(name):
    """The same of a keyspace of this test's own."""
    found = {}
    with cql.connect(addresses["CASSANDRA"]) as session:
        for table, (key, values) in TABLES.items():
            rows = session.query(f"SELECT {', '.join(key + values)} FROM {keyspace(name)}.{table}")
            times = [at for at, column in enumerate(key + values) if column in TIMES]
            found[table] = by_key(table, (in_seconds(row, times) for row in rows))
    return found


def query(question):
    """Rows of Cassandra; KEYSPACE.name in the question stands for a keyspace of this test's own."""
    with cql.connect(addresses["CASSANDRA"]) as session:
        return session.query(re.sub(r"\bKEYSPACE\.(\w+)", lambda found: keyspace(found.group(1)), question))


def assert_same(expected, found, what, empty=()):
    """Compares all tables, value by value, and says how many values that were. Only those of empty may be empty."""
    values = 0
    for table, rows in expected.items():
        wrong = [] if rows == found[table] else [
            (key, rows.get(key), found[table].get(key)) for key in rows.keys() | found[table].keys()
            if rows.get(key) != found[table].get(key)]
        assert rows or table in empty, f"{what}: {table} is empty"
        assert not wrong, (f"{what}: {len(wrong)} of {len(rows)} rows of {table} differ, such as "
                           + "; ".join(f"{key}: {str(mine)[:200]}, not {str(other)[:200]}"
                                       for key, other, mine in sorted(wrong, key=repr)[:3]))
        values += sum(map(len, rows.values()))
    print(f"{what}: {values} values of {sum(map(len, expected.values()))} rows, none differs", flush=True)


def say(what):
    print(time.strftime("%H:%M:%S"), what, flush=True)


# -- Time -----------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def timed(what, facts=None):
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    print(f"{what}: {took:.1f} s" + (f", {facts / took:,.0f} facts/s" if facts else ""), flush=True)
