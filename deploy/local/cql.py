"""Asks Cassandra in its own language: as much of CQL's binary protocol (version 4) as a health check and the tests need.

    with cql.connect("127.0.0.1:9042") as session:
        for row in session.query("SELECT channel, minute, messages FROM hubbub.wordcount"): ...

Rows are tuples. A blob is bytes, a timestamp its milliseconds since 1970, a null None. Statements are text without
variables; quote() writes a text as a literal. Frames as in the protocol's specification, native_protocol_v4.spec.
"""
import contextlib
import socket
import struct
import uuid

VERSION, RESPONSE = 0x04, 0x84
ERROR, STARTUP, READY, QUERY, RESULT = 0x00, 0x01, 0x02, 0x07, 0x08
ROWS = 2
LOCAL_QUORUM = 0x0006
PAGE_SIZE, PAGING_STATE = 0x04, 0x08
HAS_MORE_PAGES, ONE_TABLE = 0x02, 0x01


class Refused(Exception):
    """What the server answered instead of a result."""


def whole_number(data):
    return int.from_bytes(data, "big", signed=True)


def text(data):
    return data.decode()


SCALARS = {
    0x01: text, 0x0D: text,  # ascii, varchar
    0x02: whole_number, 0x09: whole_number, 0x0B: whole_number, 0x0E: whole_number,  # bigint, int, timestamp, varint
    0x13: whole_number, 0x14: whole_number, 0x05: whole_number,  # smallint, tinyint, counter
    0x03: bytes,
    0x04: lambda data: data != b"\0",
    0x07: lambda data: struct.unpack(">d", data)[0], 0x08: lambda data: struct.unpack(">f", data)[0],
    0x0C: lambda data: uuid.UUID(bytes=data), 0x0F: lambda data: uuid.UUID(bytes=data),
    0x10: lambda data: socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data),
}


class Reader:
    """Reads the notations of the specification from a frame's body: [int], [string], [bytes] and so on."""

    def __init__(self, body):
        self.body, self.at = body, 0

    def take(self, size):
        self.at += size
        return self.body[self.at - size:self.at]

    def int(self):
        return whole_number(self.take(4))

    def short(self):
        return int.from_bytes(self.take(2), "big")

    def string(self):
        return self.take(self.short()).decode()

    def bytes(self):
        size = self.int()
        return None if size < 0 else self.take(size)

    def type(self):
        """A column's type, as the function that reads a value of it."""
        kind = self.short()
        if kind == 0x00:
            self.string()
            return bytes
        if kind in (0x20, 0x22):  # list, set
            element = self.type()
            return lambda data: read_many(Reader(data), element)
        if kind == 0x21:  # map
            key, value = self.type(), self.type()
            return lambda data: dict(read_pairs(Reader(data), key, value))
        return SCALARS[kind]


def read_many(reader, element):
    return [element(reader.bytes()) for _ in range(reader.int())]


def read_pairs(reader, key, value):
    return [(key(reader.bytes()), value(reader.bytes())) for _ in range(reader.int())]


def read_rows(reader, count, types):
    """[bytes] after [bytes], without a call for each: there may be millions."""
    body, at, size_at, rows = reader.body, reader.at, struct.Struct(">i").unpack_from, []
    for _ in range(count):
        row = []
        for read in types:
            (size,) = size_at(body, at)
            at += 4
            if size < 0:
                row.append(None)
            else:
                row.append(read(body[at:at + size]))
                at += size
        rows.append(tuple(row))
    return rows


class Session:
    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def exactly(self, size):
        parts = []
        while size > 0:
            part = self.connection.recv(min(size, 1 << 20))
            if not part:
                raise ConnectionError("Cassandra closed the connection")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def request(self, opcode, body):
        """Sends a frame and returns (opcode, a reader of the body) of the answer."""
        self.connection.sendall(struct.pack(">BBhBi", VERSION, 0, 0, opcode, len(body)) + body)
        version, flags, _, answered, size = struct.unpack(">BBhBi", self.exactly(9))
        reader = Reader(self.exactly(size))
        if version != RESPONSE:
            raise ConnectionError(f"not an answer of CQL version 4: {version:#x}")
        if flags & 0x08:  # warnings come first
            for _ in range(reader.short()):
                reader.string()
        if answered == ERROR:
            code = reader.int()
            raise Refused(f"{code:#06x} {reader.string()}")
        return answered, reader

    def page(self, statement, state):
        """One page of a statement's result: (its rows, the state with which to ask for the next or None)."""
        question = statement.encode()
        body = struct.pack(">i", len(question)) + question
        body += struct.pack(">HBi", LOCAL_QUORUM, PAGE_SIZE | (PAGING_STATE if state else 0), 5000)
        if state:
            body += struct.pack(">i", len(state)) + state
        _, reader = self.request(QUERY, body)
        if reader.int() != ROWS:
            return [], None
        flags, columns = reader.int(), reader.int()
        state = reader.bytes() if flags & HAS_MORE_PAGES else None
        if flags & ONE_TABLE:
            reader.string(), reader.string()
        types = []
        for _ in range(columns):
            if not flags & ONE_TABLE:
                reader.string(), reader.string()
            reader.string()
            types.append(reader.type())
        return read_rows(reader, reader.int(), types), state

    def query(self, statement):
        """Runs a statement and returns all its rows; none for one that has no rows."""
        rows, state = self.page(statement, None)
        while state:
            more, state = self.page(statement, state)
            rows += more
        return rows


def quote(value):
    return "'" + value.replace("'", "''") + "'"


def connect(address, timeout=30):
    """Opens a session with HOST:PORT; OSError or Refused where that fails."""
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout)
    with contextlib.ExitStack() as undo:
        undo.callback(connection.close)
        session = Session(connection)
        options = {"CQL_VERSION": "3.0.0"}
        body = struct.pack(">H", len(options))
        for key, value in options.items():
            body += struct.pack(">H", len(key)) + key.encode() + struct.pack(">H", len(value)) + value.encode()
        answered, _ = session.request(STARTUP, body)
        if answered != READY:
            raise Refused("Cassandra wants a login, which this client does not know")
        undo.pop_all()
    return session
