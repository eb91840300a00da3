"""Whatever dies while facts flow: in the end the same rows as a file log gives of all that was sent, and nothing is lost.

A simulated Twitch is listened to twice: into a file log, which nothing happens to, and into Kafka, which two workers of a
group and a Spark job count into two keyspaces of Cassandra. Meanwhile a worker is killed and another added, the broker
restarted, Cassandra stopped for 30 s, and a Spark worker killed with its executors.
"""
import re
import signal
import time

import hub
import servers

RATE, CHANNELS, FIRST, SAID = 2_000, 100, 1_000, 150_000
MESSAGES = FIRST + SAID

servers.up()
servers.needs_cassandra()
log, data = servers.log("facts"), hub.path("data")
channels = hub.channels_file("--channels", CHANNELS, "--seed", 5)
twitch, irc = hub.simulator("--channels", CHANNELS, "--seed", 5, "--rate", RATE, "--count", SAID,
                            "--wait-joins", 2 * CHANNELS)


def ingest(where, name):
    return hub.start("ingest", "--channels-file", channels, "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--log", where,
                     name=name)


def worker(name):
    return hub.start("process", "--log", log, "--store", servers.store("workers"), name=f"worker-{name}")


def counted(name):
    """Messages, copies of Shared Chat among them, that a keyspace holds; 0 where there are no tables yet."""
    try:
        return servers.query(f"SELECT sum(messages) + sum(shared) FROM KEYSPACE.{name}.wordcount")[0][0] or 0
    except servers.cql.Refused:
        return 0


def message_ids():
    """Ids of all messages that the file log holds."""
    return {re.search(rb"[@;]id=([^; ]+)", line).group(1) for line in hub.log_lines(data) if b" PRIVMSG #" in line}


# A little chat that is there already shows when all are ready to count; then the simulated Twitch begins.
servers.write_facts(hub.path("first.irc"), FIRST, channels=20, start=int(time.time()) - 60, seed=6)
hub.ask("import", "--data", data, hub.path("first.irc"))
hub.ask("import", "--log", log, hub.path("first.irc"))
victim, counting = worker("one"), [worker("two")]
keyspaces = ["workers"]
if servers.has_spark():
    keyspaces.append("spark")
    counting.append(hub.start("process", "--on", servers.addresses["SPARK"], "--log", log, "--store", servers.store("spark"),
                              "--checkpoint", hub.path("checkpoint"), name="spark"))
hub.until(lambda: all(counted(name) == FIRST for name in keyspaces), "all count", within=300)
listening = [ingest(f"{data}/log", "ingest-file"), ingest(log, "ingest-kafka")]
hub.until(lambda: all(counted(name) > FIRST for name in keyspaces), "all count what is said now", within=300)

servers.say("a worker is killed, another added")
hub.stop(victim, signal.SIGKILL)
counting.append(worker("three"))
time.sleep(10)
servers.say("the broker restarts")
servers.cluster("restart", "kafka")
time.sleep(5)
servers.say("a Spark worker is killed")
servers.cluster("kill", "spark-worker-1")
time.sleep(5)
servers.cluster("up", "spark-worker-1")
servers.say("Cassandra stops for 30 s")
servers.cluster("down", "cassandra")
time.sleep(30)
servers.cluster("up", "cassandra")

hub.until(lambda: len(message_ids()) == MESSAGES, "all that was sent is in the file log", within=240)
for name in keyspaces:
    with servers.timed(f"{name}: all counted after the end"):
        hub.until(lambda: counted(name) >= MESSAGES, f"{name} count all", within=240)
for process in listening + counting:
    code = hub.stop(process)
    assert code == 0, f"{process.name} ended with {code}: {hub.said(process.name)}"

hub.ask("process", "--data", data, "--until-end")
expected = servers.rows_of_sqlite(data)
assert sum(row[0] + row[3] for row in expected["wordcount"].values()) == MESSAGES
for name in keyspaces:
    servers.assert_same(expected, servers.rows_of_cassandra(name), f"after the faults, {name}")
if not servers.has_spark():
    hub.skip("as far as that, but the Spark jobs were not built (they need a JDK of Java 17, and Maven)")
hub.passed()
