"""Whatever dies while facts flow: in the end the same rows as a file log gives of all that was sent, and nothing is lost.

A simulated Twitch is listened to twice: into a file log, which nothing happens to, and into Kafka, which two workers of a
group and a Spark job count into two keyspaces of Cassandra. Meanwhile a worker is killed and another added, the broker
restarted, Cassandra stopped for 30 s, and a Spark worker killed with its executors.
"""
import re
import signal
import socket
import threading
import time

import hub
import servers

RATE, CHANNELS, FIRST, SAID = 2_000, 100, 1_000, 150_000

servers.up()
servers.needs_cassandra()
log, data = servers.log("facts"), hub.path("data")
*names, last = hub.ask("simulate", "--print-channels", "--channels", CHANNELS, "--seed", 5)[0].split()
channels = hub.path("channels")
with open(channels, "w", encoding="utf-8") as text:
    text.write("\n".join(names))
_, irc = hub.simulator("--channels", CHANNELS, "--seed", 5, "--rate", RATE, "--count", SAID, "--wait-joins", CHANNELS)


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


class Starter(threading.Thread):
    """The simulated Twitch begins once all its channels are joined. This joins the last of them when both logs are ready,
    and counts what is said there, which neither of them gets."""

    def __init__(self):
        super().__init__(daemon=True)
        self.heard = 0
        self.connection = socket.create_connection(("127.0.0.1", irc))
        self.connection.sendall(f"NICK justinfan1\r\nJOIN #{last}\r\n".encode())

    def run(self):
        for line in self.connection.makefile("rb"):
            self.heard += b" PRIVMSG #" in line


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
hub.until(lambda: all("joined" in hub.said(process.name) for process in listening), "both listen", within=60)
starter = Starter()
starter.start()
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

hub.until(lambda: len(message_ids()) == FIRST + SAID - starter.heard, "all that was sent is in the file log", within=240)
messages = len(message_ids())
for name in keyspaces:
    with servers.timed(f"{name}: all counted after the end"):
        hub.until(lambda: counted(name) >= messages, f"{name} count all", within=240)
for process in listening + counting:
    code = hub.stop(process)
    assert code == 0, f"{process.name} ended with {code}: {hub.said(process.name)}"

hub.ask("process", "--data", data, "--until-end")
expected = servers.rows_of_sqlite(data)
assert sum(row[0] + row[3] for row in expected["wordcount"].values()) == messages
# The two logs were received by two connections: times of receipt and the order of lines of one moment differ, and sheets
# show it. They are compared with those of the very lines that Kafka holds.
copy = hub.path("copy")
with open(hub.path("copy.irc"), "w", encoding="utf-8") as lines:
    lines.write(hub.ask("cat", "--log", log)[0])
hub.ask("import", "--data", copy, hub.path("copy.irc"))
hub.ask("process", "--data", copy, "--until-end")
expected["sheets"] = servers.rows_of_sqlite(copy)["sheets"]
for name in keyspaces:
    servers.assert_same(expected, servers.rows_of_cassandra(name), f"after the faults, {name}",
                        empty=["moments", "moments_by_day"])  # which take ten minutes of chat before them
if not servers.has_spark():
    hub.skip("as far as that, but the Spark jobs were not built (they need a JDK of Java 17, and Maven)")
hub.passed()
