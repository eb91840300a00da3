"""The dashboards fit Grafana's schema: read strictly by the types of Grafana's Foundation SDK (a Go module)."""
import glob
import json
import os
import shutil
import subprocess

import boards
import hub

if not shutil.which("go"):
    hub.skip("there is no go to build the check with Grafana's Foundation SDK")
checker = os.path.join(os.environ["HUBBUB_BUILD"], "schema")
source = os.path.join(hub.SOURCE, "tests/grafana/schema")
got = subprocess.run(["go", "mod", "download"], cwd=source, capture_output=True, text=True, check=False)
if got.returncode != 0:
    hub.skip(f"Grafana's Foundation SDK cannot be had: {got.stderr.strip().splitlines()[-1]}")
subprocess.run(["go", "build", "-p", "2", "-o", checker, "."], cwd=source, check=True)


def check(*paths):
    done = subprocess.run([checker, *paths], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


paths = sorted(glob.glob(f"{boards.DASHBOARDS}/*.json"))
assert len(paths) == 3, paths
status, said = check(*paths)
assert status == 0, said
# The check would find what is wrong.
for place, wrong in ((("options", "colorMode"), 3), (("options", "nonsense"), 1), (("fieldConfig", "defaults", "decimals"), "none")):
    board = boards.load("hubbub")
    panel = next(each for each in board["panels"] if each["type"] == "stat")
    for key in place[:-1]:
        panel = panel[key]
    panel[place[-1]] = wrong
    with open(hub.path("wrong.json"), "w", encoding="utf-8") as out:
        json.dump(board, out)
    status, said = check(hub.path("wrong.json"))
    assert status == 1 and place[-1] in said, (place, status, said)
hub.passed()
