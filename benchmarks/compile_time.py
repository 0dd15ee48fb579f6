"""Measures what the compilation of a typical program costs, against the budget file beside this one.

Usage: compile_time.py [--slack FACTOR] COMPILER [FLAG...]

The budget's seconds are those of a machine that compiles the yardstick in its yardstick_seconds: on
a slower one they become more, on a faster one less. Exits with 1 where seconds or memory exceed
FACTOR (default 1) times the budget.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

folder = pathlib.Path(__file__).resolve().parent
arguments, slack = sys.argv[1:], 1.0
if arguments[0] == "--slack":
    slack, arguments = float(arguments[1]), arguments[2:]
compiler = [flag for flag in arguments if flag not in ("-I/usr/include", "-I")]
budget = json.loads((folder / "compile_time_budget.json").read_text())


def compiled(source, build):
    """User and system seconds, which other programs on the machine disturb less than the clock on
    the wall, and megabytes."""
    process = subprocess.Popen([*compiler, "-O2", "-c", folder / source, "-o", f"{build}/out.o"])
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{source} was not compiled")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


with tempfile.TemporaryDirectory() as build:
    yardstick, _ = compiled("compile_time_yardstick.cpp", build)
    seconds, megabytes = compiled("compile_time.cpp", build)

allowed = budget["seconds"] * yardstick / budget["yardstick_seconds"]
print(f"compile time {seconds:.2f} s (budget {allowed:.2f} s here, where the yardstick takes "
      f"{yardstick:.2f} s), memory {megabytes:.0f} MB (budget {budget['megabytes']} MB)")
if seconds > slack * allowed or megabytes > slack * budget["megabytes"]:
    sys.exit(f"more than {slack:g} times the budget")
