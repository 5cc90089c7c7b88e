"""A peer in Python: says what it is, then answers every line of JSON on stdin with one, as answer.mjs does.

usage: peer.py numpy|torch|sklearn float32|float64, peer.py pillow|opencv, peer.py memory dot|sum THREADS
"""

import importlib
import json
import os
import sys
import time

name, *words = sys.argv[1:]
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # libraries may print


def say(answer):
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


peer = importlib.import_module(f"{name}_peer")
say({"is": peer.version()})
for line in sys.stdin:
    request = json.loads(line)
    if "job" in request:
        whole = request["job"]["kind"] == "whole"
        run, check = peer.prepare(request["job"], request["folder"], *words)
        say({"note": ""})
        continue
    started = time.perf_counter()
    result = run(request["count"])
    ms = (time.perf_counter() - started) * 1000 / (1 if whole else request["count"])
    say({"ms": ms, "check": [float(number) for number in check(result)]})
