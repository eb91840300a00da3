"""deploy/local/cluster itself: what is killed or stopped is noticed, what comes back has its port and its data, and what
cannot start is said with its reason."""
import os
import socket
import subprocess

import hub
import servers

servers.up()
status = servers.cluster("status")
print(status)
assert status.count(" answers ") == 5, status

# Cassandra keeps what it was told.
name = servers.keyspace("kept")
servers.query(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
servers.query(f"CREATE TABLE {name}.kept (id bigint PRIMARY KEY, value text, at timestamp, bits blob)")
servers.query(f"INSERT INTO {name}.kept (id, value, at, bits) VALUES (-1, 'Zürich 🧀', 1764000000000, 0x00ff)")
servers.cluster("restart", "cassandra")
assert servers.query(f"SELECT id, value, at, bits FROM {name}.kept") == [(-1, "Zürich 🧀", 1764000000000, b"\x00\xff")]
try:
    servers.query(f"SELECT nothing FROM {name}.kept")
    raise AssertionError("a column that is not there was read")
except servers.cql.Refused as refused:
    assert "nothing" in str(refused), refused
servers.query(f"DROP KEYSPACE {name}")

before = servers.cluster("env")
servers.cluster("kill", "kafka", "spark-worker-2")
status = servers.cluster("status", expect=1)
assert status.count(" down ") == 2 and status.count(" answers ") == 3, status
servers.cluster("up")
assert servers.cluster("env") == before
servers.cluster("status")

# A port that is taken, in a folder of its own.
with socket.socket() as taken:
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    done = subprocess.run([f"{hub.SOURCE}/deploy/local/cluster", "up", "kafka", "--dir", hub.path("other"), "--port",
                           f"kafka={taken.getsockname()[1]}"], capture_output=True, text=True, check=False)
assert done.returncode == 1 and "is taken by another program" in done.stderr, done
assert not os.path.exists(hub.path("other/kafka/pid"))
hub.passed()
