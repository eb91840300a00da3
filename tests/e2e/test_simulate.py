"""hubbub simulate as tests and people use it: chat as a file, chat over a socket, signals, a replay, TLS, wrong usage."""
import gzip
import shutil
import signal
import socket
import ssl
import subprocess

import hub

COMMON = ["--channels", 8, "--seed", 11]


def tag(line, name):
    return dict(pair.partition(b"=")[::2] for pair in line[1:line.index(b" ")].split(b";")).get(name)


class Client:
    def __init__(self, port, channels, context=None):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.heard = b""
        joins = ",".join("#" + channel for channel in channels)
        self.say(f"CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan7\r\nJOIN {joins}\r\n")

    def say(self, text):
        self.socket.sendall(text.encode())

    def until(self, done):
        """Reads until done(heard), or the end."""
        while not done(self.heard):
            data = self.socket.recv(1 << 16)
            if not data:
                return False
            self.heard += data
        return True


# As a file: the same for a seed, so many messages over so much time.
write = ["simulate", *COMMON, "--rate", 50, "--count", 3000, "--start", 1764000000, "--viewers", "--write"]
hub.ask(*write, hub.path("one.irc"))
assert hub.ask(*write, "-")[0] == open(hub.path("one.irc"), encoding="utf-8", newline="").read()
with open(hub.path("one.irc"), "rb") as file:
    lines = file.read().splitlines()
messages = [line for line in lines if b" PRIVMSG #" in line]
assert len(messages) == 3000
times = [int(tag(line, b"tmi-sent-ts")) for line in messages]
assert times == sorted(times) and times[0] == 1764000000000 and times[-1] == 1764000000000 + 2999 * 20, times[-1]
assert sum(b" STREAM #" in line for line in lines) == 8
out = hub.ask("simulate", *COMMON, "--rate", 50, "--start", 1764000000, "--end", 1764000010, "--write", "-")[0]
assert out.count(" PRIVMSG #") == 500, out.count(" PRIVMSG #")
names = hub.ask("simulate", "--print-channels", *COMMON)[0].split()
assert len(set(names)) == 8
assert {line.split(b" PRIVMSG #")[1].split()[0].decode() for line in messages} == set(names)

# Over a socket: the same chat, exactly so many messages, signals, what it says at its end.
simulator, port = hub.simulator(*COMMON, "--rate", 3000, "--count", 3000, "--wait-joins", 8, name="live")
client = Client(port, names)
assert client.until(lambda heard: heard.count(b" PRIVMSG #") >= 3000)
live = [line for line in client.heard.split(b"\r\n") if b" PRIVMSG #" in line]
assert [tag(line, b"id") for line in live[:500]] != [None] * 500
hub.until(lambda: "all 3000 messages are sent" in hub.said("live"), "what it says when all is sent")
simulator.send_signal(signal.SIGUSR1)
assert client.until(lambda heard: heard.endswith(b":tmi.twitch.tv RECONNECT\r\n"))
simulator.send_signal(signal.SIGUSR2)
assert not client.until(lambda heard: False)
assert client.heard.count(b" PRIVMSG #") == 3000
assert hub.stop(simulator) == 0
assert "3000 messages made, 3000 sent, 0 in channels that nobody had joined, 0 dropped" in hub.said("live")

# The same seed live as in a file, as long as the rate is the same, too.
simulator, port = hub.simulator(*COMMON, "--rate", 50, "--count", 100, "--wait-joins", 8, name="same")
client = Client(port, names)
assert client.until(lambda heard: heard.count(b" PRIVMSG #") >= 100)
live = [line for line in client.heard.split(b"\r\n") if b" PRIVMSG #" in line]
assert [tag(line, b"id") for line in live] == [tag(line, b"id") for line in messages[:100]]
hub.stop(simulator)

# A replay: the file's lines with other times.
with open(hub.path("one.irc"), "rb") as plain, gzip.open(hub.path("one.irc.gz"), "wb") as packed:
    shutil.copyfileobj(plain, packed)
replay = ["--replay", hub.path("one.irc.gz"), "--speed", 60]
assert set(hub.ask("simulate", "--print-channels", *replay)[0].split()) == set(names)
simulator, port = hub.simulator(*replay, "--wait-joins", 8, name="replay")
client = Client(port, names)
assert client.until(lambda heard: heard.count(b" PRIVMSG #") >= 3000)
replayed = [line for line in client.heard.split(b"\r\n") if b" PRIVMSG #" in line]
assert [tag(line, b"id") for line in replayed] == [tag(line, b"id") for line in messages]
assert [line.split(b" PRIVMSG ")[1] for line in replayed] == [line.split(b" PRIVMSG ")[1] for line in messages]
assert int(tag(replayed[0], b"tmi-sent-ts")) > times[-1]
assert hub.stop(simulator) == 0

# TLS
if shutil.which("openssl"):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    hub.path("key.pem"), "-out", hub.path("cert.pem"), "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    simulator, port = hub.simulator(*COMMON, "--tls", hub.path("cert.pem"), hub.path("key.pem"), name="tls")
    client = Client(port, names[:1], ssl.create_default_context(cafile=hub.path("cert.pem")))
    assert client.until(lambda heard: b" PRIVMSG #" in heard)
    hub.stop(simulator)

# Wrong usage
for code, says, *arguments in [
        (2, "--count or --end", "--write", hub.path("x.irc")),
        (2, "messages a second", "--rate", 0),
        (2, "channels", "--channels", 0),
        (2, "--tls", "key.pem"),
        (2, "--speed", "--replay", hub.path("one.irc"), "--speed", 0),
        (2, "--replay", "--replay", hub.path("one.irc"), "--write", "-"),
        (1, "no-such-file", "--replay", "no-such-file"),
        (2, "cert.none", "--tls", "cert.none", "--listen", "127.0.0.1:0"),
        (1, "/no/such", "--count", 1, "--write", "/no/such/folder"),
        (1, "No space", "--count", 100000, "--write", "/dev/full"),
]:
    err = hub.ask("simulate", *arguments, expect=code)[1]
    assert says in err, (arguments, err)
    assert err.count("\n") == 1, err
with socket.socket() as busy:
    busy.bind(("127.0.0.1", 0))
    busy.listen()
    address = f"127.0.0.1:{busy.getsockname()[1]}"
    assert address in hub.ask("simulate", "--listen", address, expect=1)[1]
hub.passed()
