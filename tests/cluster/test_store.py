"""Cassandra as a store, by store_cassandra.c, which knows the store from inside."""
import os
import subprocess

import hub
import servers

servers.up("cassandra")
servers.needs_cassandra()
done = subprocess.run([os.environ["STORE_CASSANDRA"]], env=dict(os.environ, CASSANDRA_STORE=servers.store("c")), check=False)
assert done.returncode == 0

# A keyspace that an older hubbub has made gets the columns that it lacks, whoever opens it to write, and has zeros until then.
hub.ask("simulate", "--channels", 2, "--seed", 5, "--rate", 20, "--count", 2000, "--start", 1_764_000_000, "--write",
        hub.path("chat.irc"))
hub.ask("import", "--data", hub.path("data"), hub.path("chat.irc"))
count = ["process", "--until-end", "--log", hub.path("data/log"), "--store", servers.store("old")]
hub.ask(*count)
columns = "SELECT sum(messages), sum(new_chatters), sum(subscriber_messages) FROM KEYSPACE.old.wordcount"
before = servers.query(columns)
assert min(before[0]) > 0, before
for table in ("wordcount", "latest"):
    for column in ("new_chatters", "subscriber_messages"):
        servers.query(f"ALTER TABLE KEYSPACE.old.{table} DROP {column}")
hub.ask(*count)
assert servers.query(columns) == [(before[0][0], 0, 0)], servers.query(columns)
hub.ask("batch", "--log", hub.path("data/log"), "--store", servers.store("old"))
assert servers.query(columns) == before
hub.passed()
