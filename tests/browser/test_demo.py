"""The demo's dashboard in Chromium: every check of the page against the real thing, and it goes on after hubbub was killed
and started again. Pictures go to the folder SCREENSHOTS, if that is set.
"""
import os
import signal
import subprocess

import hub

here = os.path.dirname(os.path.abspath(__file__))
port = hub.free_port()
url = f"http://127.0.0.1:{port}/"


def start():
    return hub.start("run", "--demo", "--listen", f"127.0.0.1:{port}", "--data", hub.path("demo"), name="demo")


def browser(*command, **more):
    done = subprocess.run(command, cwd=here, env={**os.environ, "HUBBUB_URL": url, **more}, capture_output=True, text=True,
                          timeout=500, check=False)
    print(done.stdout, done.stderr, sep="")
    return done


demo = start()
hub.until(lambda: any(row["messages_per_minute"] > 0 for row in hub.rows(port, "/api/v1/channels")), "numbers", 20)
checks = browser("./run")
if checks.returncode == 77:
    hub.skip(checks.stdout.strip())
assert checks.returncode == 0, "the page's checks failed"
assert browser("node", "demo.mjs", SCREENSHOTS=os.environ.get("SCREENSHOTS", hub.path("pictures"))).returncode == 0

with subprocess.Popen(["node", "restart.mjs"], cwd=here, env={**os.environ, "HUBBUB_URL": url}, stdin=subprocess.PIPE,
                      stdout=subprocess.PIPE, text=True) as page:
    hub.running.append(page)
    assert page.stdout.readline().strip() == "live"
    hub.stop(demo, signal.SIGKILL)
    assert page.stdout.readline().strip() == "reconnecting"
    demo = start()
    assert page.stdout.readline().strip() == "live"
    assert page.stdout.readline().strip() == "in order"
    assert page.wait(timeout=30) == 0
    hub.running.remove(page)
assert hub.stop(demo) == 0
hub.passed()
