"""500,000 facts through every engine: file log and SQLite; Kafka, two workers of one group, and Cassandra; Kafka, Spark and
Cassandra. The same rows, value by value, from the speed layer, and again from the batch layer."""
import hub
import servers

FACTS = 500_000

servers.up()
servers.needs_cassandra()
lines, data, log = hub.path("lines.irc"), hub.path("data"), servers.log("facts")
with servers.timed("facts written"):
    doubled = servers.write_facts(lines, FACTS)
with servers.timed("import into Kafka", FACTS):
    hub.ask("import", "--log", log, lines)

with servers.timed("file log and SQLite, speed", FACTS):
    hub.ask("import", "--data", data, lines)
    hub.ask("process", "--data", data, "--until-end")
expected = servers.rows_of_sqlite(data)
assert not hub.query(data, "select * from progress where late > 0")
assert sum(row[0] + row[3] for row in expected["wordcount"].values()) == FACTS

with servers.timed("Kafka, two workers and Cassandra, speed", FACTS):
    workers = [hub.start("process", "--log", log, "--store", servers.store("workers"), "--until-end", name=f"worker-{name}")
               for name in ("one", "two")]
    for worker in workers:
        code = worker.wait(timeout=300)
        hub.running.remove(worker)
        assert code == 0, f"{worker.name} ended with {code}"
servers.assert_same(expected, servers.rows_of_cassandra("workers"), "speed layer, two workers")

if servers.has_spark():
    with servers.timed("Kafka, Spark and Cassandra, speed", FACTS):
        servers.submit("process", "--log", log, "--store", servers.store("spark"), "--checkpoint", hub.path("checkpoint"),
                       "--until-end")
    servers.assert_same(expected, servers.rows_of_cassandra("spark"), "speed layer, Spark")

with servers.timed("file log and SQLite, batch", FACTS):
    hub.ask("batch", "--data", data)
expected = servers.rows_of_sqlite(data)
assert {row[-1] for row in expected["wordcount"].values()} == {"batch"}

with servers.timed("Kafka and Cassandra, batch", FACTS):
    _, err = hub.ask("batch", "--log", log, "--store", servers.store("workers"))
    print(err)
    assert f"{doubled:,} duplicates" in err, err
servers.assert_same(expected, servers.rows_of_cassandra("workers"), "batch layer, hubbub batch")

out, _ = hub.ask("verify", "--log", log, "--store", servers.store("workers"))
assert out.startswith("0 of "), out

if not servers.has_spark():
    hub.skip("as far as that, but the Spark jobs were not built (they need a JDK of Java 17, and Maven)")
with servers.timed("Kafka, Spark and Cassandra, batch", FACTS):
    servers.submit("batch", "--log", log, "--store", servers.store("spark"))
servers.assert_same(expected, servers.rows_of_cassandra("spark"), "batch layer, Spark")
hub.passed()
