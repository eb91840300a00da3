"""Viewers: an hour of 250 channels' streams, 120 times as fast, asked of the simulated Twitch's API; then everything
that can go wrong with it, and hubbub without credentials."""
import http.server
import json
import shutil
import ssl
import subprocess
import threading
import time
import urllib.request

import hub
import reference

CHANNELS = 250
SEED = 5
FIRST_ROUNDS = 60
names = hub.ask("simulate", "--print-channels", "--channels", CHANNELS, "--seed", SEED)[0].split()
channels = hub.channels_file("--channels", CHANNELS, "--seed", SEED)


def api(query=""):
    """Asks the simulated API for what it counted, and has it do as the query says."""
    with urllib.request.urlopen(f"http://127.0.0.1:{helix}/control?{query}", timeout=10) as answer:
        return json.load(answer)


def health():
    return json.loads(hub.get(port, "/healthz")[1]).get("viewers")


def helix_metric(name):
    return hub.metric(port, f"hubbub_helix_{name}")


def start_run(name, *arguments, settings=None):
    return hub.start("run", "--channels-file", channels, "--twitch-irc", f"127.0.0.1:{irc}", "--no-tls", "--data", hub.path(name),
                     "--listen", f"127.0.0.1:{port}", *arguments, name=name, settings=settings)


helix = hub.free_port()
_, irc = hub.simulator("--channels", CHANNELS, "--seed", SEED, "--rate", 50, "--helix-listen", f"127.0.0.1:{helix}",
                       "--helix-speed", 120)
credentials = {"TWITCH_CLIENT_ID": "an_id", "TWITCH_CLIENT_SECRET": "a&secret"}
where = ["--helix", f"http://127.0.0.1:{helix}", "--viewers-every", 0.5]

# An hour: sixty rounds of three calls, and every sample in the views as the slow reference has it.
port, data = hub.free_port(), hub.path("hour")
run = start_run("hour", *where, settings=credentials)
began = time.monotonic()
hub.until(lambda: helix_metric("calls_total") >= 3 * FIRST_ROUNDS + 1, "an hour of rounds", FIRST_ROUNDS + 30)
took = time.monotonic() - began
hub.until(lambda: health() == {"status": "ok"}, "viewers that are counted")
assert 0 < helix_metric("ratelimit_remaining") < 800
assert abs(helix_metric("last_answer_timestamp_seconds") - time.time()) < 10
assert hub.rows(port, f"/api/v1/channels/{names[0]}/viewers")
changes = [row["change"] for row in hub.rows(port, f"/api/v1/channels/{names[0]}/streams")]
assert set(changes) <= {"live", "offline", "game", "title"}, changes
assert hub.stop(run) == 0
counted = api()
assert counted["token_calls"] == 1
assert counted["streams_calls"] == counted["streams_answered"]
rounds = -(-counted["streams_calls"] // 3)
assert rounds <= 2 * took + 3, (rounds, took)
lines = list(hub.log_lines(data))
in_log = sum(b" STREAM #" in line for line in lines)
assert counted["streams_listed"] - CHANNELS <= in_log <= counted["streams_listed"], (in_log, counted)  # the last may be broken off
hub.ask("process", "--data", data, "--until-end")
views = reference.views_of(lines)
differing = reference.viewers_differences(views, {
    row[:2]: row[2:] for row in hub.query(data, "select channel, minute, viewers, samples, game, title from viewers")})
assert not differing, differing[:5]
assert in_log == sum(len(taken) for taken in views.viewers.values())
assert in_log < rounds * CHANNELS * 0.95, "no channel ever went offline"
shown = [one for taken in views.viewers.values() for one in taken]
assert len({one[3] for one in shown}) > CHANNELS and len({one[2] for one in shown}) > 5
print(f"{rounds} rounds, {in_log} samples, all in the views")

# What goes wrong, and is got over by itself.
port = hub.free_port()
run = start_run("faults", *where, settings=credentials)
hub.until(lambda: helix_metric("samples_total") >= 100, "first samples")
for what in ("answer=401", "revoke=1", "answer=500&times=2", "answer=malformed", "answer=429&reset-after=2",
             "token-answer=503&revoke=1"):
    errors, tokens = helix_metric("errors_total"), helix_metric("tokens_total")
    api(what)
    hub.until(lambda: helix_metric("errors_total") > errors, f"{what} is met")
    taken = helix_metric("samples_total")
    hub.until(lambda: helix_metric("samples_total") > taken, f"{what} is got over")
    if "401" in what or "revoke" in what:
        assert helix_metric("tokens_total") > tokens, what
tokens = helix_metric("tokens_total")
api("token-life=2&revoke=1")
hub.until(lambda: helix_metric("tokens_total") > tokens, "a token with a short life")
errors, tokens = helix_metric("errors_total"), helix_metric("tokens_total")
hub.until(lambda: helix_metric("tokens_total") >= tokens + 2, "tokens that are renewed in time")
assert helix_metric("errors_total") == errors
assert "viewers are not counted" not in hub.said("faults"), hub.said("faults")
api("answer=500&times=4&token-life=5000000")
hub.until(lambda: health()["status"] == "missing" and "HTTP 500" in health()["reason"], "trouble that lasts is told")
hub.until(lambda: health() == {"status": "ok"}, "... and that it is over", 40)
assert hub.said("faults").count("viewers are not counted") == 1
assert hub.said("faults").count("viewers are counted again") == 1
assert hub.stop(run) == 0
assert "TWITCH_CLIENT" not in hub.said("faults") and "secret" not in hub.said("faults")

# A wrong client id: said once, with what to do; chat goes on.
api("client=somebody_else")
port = hub.free_port()
run = start_run("wrong", *where, settings=credentials)
hub.until(lambda: health() and "invalid client" in health()["reason"], "a wrong id is told")
hub.until(lambda: any(row["messages_per_minute"] for row in hub.rows(port, "/api/v1/channels")), "chat all the same")
calls = api()["token_calls"]
time.sleep(2)
assert api()["token_calls"] == calls
assert hub.said("wrong").count("TWITCH_CLIENT_ID") == 1 and "dev.twitch.tv" in hub.said("wrong")
assert hub.stop(run) == 0

# No credentials: said where viewers would be; chat goes on, and Twitch's API is left alone.
port = hub.free_port()
run = start_run("without")
hub.until(lambda: any(row["messages_per_minute"] for row in hub.rows(port, "/api/v1/channels")), "chat without credentials")
assert health()["status"] == "missing" and "dev.twitch.tv" in health()["reason"] and ".env" in health()["reason"]
assert helix_metric("calls_total") == 0
assert hub.stop(run) == 0

# Over TLS, as to Twitch: a certificate that is not trusted gets no secret.
class Api(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"access_token": "a", "expires_in": 5000})

    def do_GET(self):
        self.answer({"data": [{"user_login": names[0], "user_id": "7", "game_name": "TLS", "title": "a title", "type": "live",
                               "viewer_count": 4711}]})

    def answer(self, body):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


if shutil.which("openssl"):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    hub.path("key.pem"), "-out", hub.path("cert.pem"), "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(hub.path("cert.pem"), hub.path("key.pem"))
    secure = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    threading.Thread(target=secure.serve_forever, daemon=True).start()
    where = ["--helix", f"https://127.0.0.1:{secure.server_address[1]}"]
    port = hub.free_port()
    run = start_run("trusted", *where, "--tls-ca", hub.path("cert.pem"), settings=credentials)
    viewers = f"/api/v1/channels/{names[0]}/viewers"
    row = hub.until(lambda: hub.get(port, viewers)[0] == 200 and hub.rows(port, viewers), "viewers over TLS")[-1]
    assert (row["viewers"], row["game"], row["title"]) == (4711, "TLS", "a title"), row
    assert hub.stop(run) == 0
    port = hub.free_port()
    run = start_run("untrusted", *where, settings=credentials)
    hub.until(lambda: health() and "certificate" in health()["reason"], "a certificate that is not trusted")
    assert hub.stop(run) == 0
    secure.shutdown()

# Wrong usage
for says, arguments, settings in [
        ("TWITCH_CLIENT_SECRET is not", [], {"TWITCH_CLIENT_ID": "an_id"}),
        ("TWITCH_CLIENT_ID is not", [], {"TWITCH_CLIENT_SECRET": "a_secret"}),
        ("https", ["--helix", "http://example.org"], credentials),
        ("nowhere", ["--helix", "nowhere"], credentials),
        ("TWITCH_CLIENT_ID holds", [], {"TWITCH_CLIENT_ID": "an id", "TWITCH_CLIENT_SECRET": "a_secret"}),
        ("--viewers-every", ["--viewers-every", "often"], credentials),
]:
    err = hub.ask("ingest", names[0], "--data", hub.path("none"), *arguments, expect=2, settings=settings)[1]
    assert says in err and err.count("\n") == 1, (arguments, err)
assert "--helix-speed" in hub.ask("simulate", "--listen", "127.0.0.1:0", "--helix-listen", "127.0.0.1:0", "--helix-speed", 0,
                                  expect=2)[1]
hub.passed()
