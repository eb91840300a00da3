"""What the tests of Grafana's dashboards share: reading them, and filling in variables as Grafana does."""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

import hub

HUBBUB = {"type": "yesoreyeram-infinity-datasource", "uid": "hubbub"}
CASSANDRA = {"type": "hadesarchitect-cassandra-datasource", "uid": "cassandra"}
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
DASHBOARDS = os.path.join(hub.SOURCE, "deploy/grafana/dashboards")


def load(name):
    with open(os.path.join(DASHBOARDS, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def queries(board):
    """(panel, query) of all panels."""
    for panel in board["panels"]:
        for query in panel.get("targets", []):
            yield panel, query


def annotations(board):
    """(name, query) of all marks."""
    for each in board["annotations"]["list"]:
        yield each["name"], each["target"]


def fill(text, values):
    """Puts variables in: $name, ${name} and ${__from:date:seconds} as in Grafana's documentation of variable syntax."""
    def value(match):
        name, form = match[1] or match[3], match[2] or ""
        assert name in values, f"there is no variable {name} in {text}"
        return str(values[name] // 1000 if form == ":date:seconds" else values[name])
    return re.sub(r"\$\{(\w+)((?::\w+)*)\}|\$(\w+)", value, text)


def check_fields(panel, columns):
    """A panel that picks a field of its rows, or says something about one, names one that is there."""
    picked = panel["options"].get("reduceOptions", {}).get("fields", "")
    if picked:
        assert any(re.fullmatch(picked.strip("/"), column) for column in columns), f"{panel['title']}: no {picked} in {columns}"
    for override in panel["fieldConfig"]["overrides"]:
        assert override["matcher"]["options"] in columns, f"{panel['title']}: no {override['matcher']['options']} in {columns}"


def prometheus():
    """The folder of prometheus and promtool: installed, or out of the distribution's package without installing it (which would
    start a service); None where that cannot be had."""
    if shutil.which("prometheus") and shutil.which("promtool"):
        return os.path.dirname(shutil.which("prometheus"))
    place = os.path.join(os.environ["HUBBUB_BUILD"], "prometheus")
    if not os.path.exists(f"{place}/usr/bin/promtool") and shutil.which("apt-get"):
        with tempfile.TemporaryDirectory() as folder:
            got = subprocess.run(["apt-get", "download", "-qq", "prometheus"], cwd=folder, capture_output=True, check=False)
            if got.returncode == 0:
                subprocess.run(["dpkg", "-x", *glob.glob(f"{folder}/*.deb"), place], check=True)
    return f"{place}/usr/bin" if os.path.exists(f"{place}/usr/bin/promtool") else None
