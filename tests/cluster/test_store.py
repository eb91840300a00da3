"""Cassandra as a store, by store_cassandra.c, which knows the store from inside."""
import os
import subprocess

import hub
import servers

servers.up("cassandra")
servers.needs_cassandra()
done = subprocess.run([os.environ["STORE_CASSANDRA"]], env=dict(os.environ, CASSANDRA_STORE=servers.store("c")), check=False)
for name in [row[0] for row in servers.query("SELECT keyspace_name FROM system_schema.keyspaces")]:
    if name.startswith(servers.keyspace("c_")):
        servers.query(f"DROP KEYSPACE {name}")
assert done.returncode == 0
hub.passed()
