"""Measures what the compilation of a typical program costs, against the budget file beside this one.

Usage: compile_time.py [--slack FACTOR] COMPILER [FLAG...]

Exits with 1 where seconds or memory exceed FACTOR (default 1) times the budget.
"""

import json
import pathlib
import resource
import subprocess
import sys
import tempfile

folder = pathlib.Path(__file__).resolve().parent
arguments, slack = sys.argv[1:], 1.0
if arguments[0] == "--slack":
    slack, arguments = float(arguments[1]), arguments[2:]
command = [flag for flag in arguments if flag not in ("-I/usr/include", "-I")]
budget = json.loads((folder / "compile_time_budget.json").read_text())

with tempfile.TemporaryDirectory() as build:
    command += ["-O2", "-c", str(folder / "compile_time.cpp"), "-o", f"{build}/compile_time.o"]
    subprocess.run(command, check=True)
# User and system time, which other programs on the machine disturb less than the clock on the wall.
used = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024

print(f"compile time {seconds:.2f} s (budget {budget['seconds']} s), "
      f"memory {megabytes:.0f} MB (budget {budget['megabytes']} MB)")
if seconds > slack * budget["seconds"] or megabytes > slack * budget["megabytes"]:
    sys.exit(f"more than {slack:g} times the budget")
