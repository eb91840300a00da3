"""hubbub top, in a terminal (tmux) and without one, over the store and over HTTP: every view, keys, sizes, hostile texts,
a server that goes away and comes back; and it leaves the terminal as it found it."""
import re
import shutil
import subprocess
import time

import hub

if not shutil.which("tmux"):
    hub.skip("tmux is not installed")

HOSTILE = "\x1b[2J\x1b]0;title\x07 \u202etxt.exe \u0645\u0631\u062d\u0628\u0627 \U0001f600\U0001f600 z\u0300\u0301\u0302algo"
now_ms = int(time.time() * 1000)
lines = []
for number in range(1200):
    channel = ["alpha_tv", "beta_tv", "gamma"][number % 3]
    lines.append(f"@display-name=User{number % 20};id=i{number};tmi-sent-ts={now_ms - 60000 - number * 1000};user-id={number % 20};"
                 f"emotes=25:0-4 :u{number % 20}!u@u PRIVMSG #{channel} :Kappa hello there {number % 50}")
for number in range(50):
    lines.append(f"@display-name=Ev\x1b[31mil\u202e;id=h{number};tmi-sent-ts={now_ms - 60000};user-id=666 "
                 f":evil!u@u PRIVMSG #gamma :{HOSTILE}")
with open(hub.path("in"), "w", encoding="utf-8", newline="") as file:
    file.write("\r\n".join(lines) + "\r\n")
data = hub.path("data")
hub.ask("import", "--data", data, hub.path("in"))
hub.ask("process", "--data", data, "--until-end")
port = hub.free_port()
server = hub.start("serve", "--data", data, "--listen", f"127.0.0.1:{port}")
url = f"http://127.0.0.1:{port}"
hub.until(lambda: hub.rows(port, "/api/v1/channels"), "the server")

# ---- Without a terminal: a table, once.
for place in (["--data", data], ["--server", url], ["--server", url + "/"]):
    out, _ = hub.ask("top", *place, "--sort", "channel")
    assert [line.split()[0] for line in out.splitlines()] == ["CHANNEL^", "alpha_tv", "beta_tv", "gamma"], out
    out, _ = hub.ask("top", *place, "gamma")
    assert "User" in out and "Evil" not in out and not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", out), out
for wrong, code in ((["--sort", "size"], 2), (["--every", "0"], 2), (["--server", "nowhere"], 2), (["x y"], 2),
                    (["--data", hub.path("none")], 1), (["--data", data, "never_seen"], 1),
                    (["--server", f"http://127.0.0.1:{hub.free_port()}"], 1)):
    _, err = hub.ask("top", *wrong, expect=code)
    assert len(err.splitlines()) == 1 and " hubbub: " in err, err


# ---- In a terminal
class Terminal:
    def __init__(self, *arguments, columns=100, rows=24, before=""):
        self.socket = hub.path("tmux")
        self.ended = hub.path("ended")
        command = " ".join([before, hub.HUBBUB, "top", *arguments])
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows),
                  f"sh -c 'trap : INT; stty -g >{self.ended}.before; {command}; code=$?; stty -g >{self.ended}.after; echo $code >{self.ended}; "
                  "exec sleep 600'")

    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, "-f", "/dev/null", *arguments], capture_output=True, text=True,
                              env={**hub.environment(), "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}, timeout=20, check=True)
        return done.stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def shows(self, *texts, but=()):
        last = []

        def seen():
            last[:] = [self.screen()]
            return all(text in last[0] for text in texts) and not any(text in last[0] for text in but)
        try:
            hub.until(seen, f"{texts} without {but}")
        except AssertionError:
            print(last[0])
            raise
        return last[0]

    def end(self, code=0):
        hub.until(lambda: open(self.ended, encoding="ascii").read().strip(), "its end")
        with open(self.ended, encoding="ascii") as ended:
            assert int(ended.read()) == code
        with open(self.ended + ".before", encoding="ascii") as before, open(self.ended + ".after", encoding="ascii") as after:
            assert before.read() == after.read(), "the terminal's settings"
        self.tmux("kill-server")
        hub.os.unlink(self.ended)


for place in (["--data", data], ["--server", url]):
    top = Terminal(*place)
    try:
        screen = top.shows("alpha_tv", "gamma", "3 channels", "MSG/MINv")
        top.keys("<")
        screen = top.shows("CHANNEL^")
        assert screen.index("alpha_tv") < screen.index("beta_tv") < screen.index("gamma")
        top.keys("r")
        top.shows("CHANNELv")
        top.keys("/")
        top.keys("-l", "A_tv")
        top.shows("filter: a_tv_", "alpha_tv", but=["gamma"])
        top.keys("Escape")
        top.shows("gamma", but=["filter:"])

        # One channel; 24 hours, so that it is no matter when this runs. What is hostile stays in its place.
        top.keys("Home", "Enter")
        top.shows("Messages a minute", "Users")
        top.keys("+", "+")
        screen = top.shows("last 24 hours", "User", "txt.exe", "Kappa")
        rows = screen.splitlines()
        assert rows[0] == "gamma" and "chatters" in rows[1], rows[:2]
        title = next(number for number, row in enumerate(rows) if row.startswith("Words"))
        assert rows[title].index("Users") == 52, rows[title]
        assert any("Ev?[31mil?" in row for row in rows), screen
        top.tmux("resize-window", "-x", "50", "-y", "16")
        top.shows("last 24 hours", "gamma")
        top.keys("Tab")
        top.shows("Words: word", but=["Kappa"])
        top.tmux("resize-window", "-x", "90", "-y", "20")
        top.keys("?")
        top.shows("reverse the order")
        top.keys("x", "q")
        top.shows("3 channels", but=["Words"])

        if "--server" in place:
            hub.stop(server)
            top.shows("no answer from", "alpha_tv")
            server = hub.start("serve", "--data", data, "--listen", f"127.0.0.1:{port}")
            top.shows("look into", but=["no answer"])
            top.keys("C-c")
        else:
            top.keys("q")
        top.end()
    finally:
        subprocess.run(["tmux", "-S", top.socket, "kill-server"], capture_output=True, check=False)

# A terminal that nobody knows is said so.
top = Terminal("--data", data, before="TERM=nothing")
try:
    top.shows("the terminal 'nothing' is not known here")
    top.end(1)
finally:
    subprocess.run(["tmux", "-S", top.socket, "kill-server"], capture_output=True, check=False)
hub.passed()
