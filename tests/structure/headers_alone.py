"""Compiles every header on its own, with nothing included before it.

Usage: headers_alone.py INCLUDE_DIR COMPILER [FLAG...]
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
# As a system folder /usr/include would be searched in the wrong order; compilers know it anyway.
command = [flag for flag in sys.argv[2:] if flag not in ("-I/usr/include", "-I")]
command += ["-fsyntax-only", "-x", "c++", "-"]
headers = sorted(p.relative_to(root).as_posix() for p in (root / "effnet").rglob("*.hpp"))


def problem(header):
    # Twice: a header without #pragma once shows here.
    run = subprocess.run(command, input=f"#include <{header}>\n" * 2, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return f"{header} does not compile alone:\n{run.stdout}" if run.returncode else None


with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    problems = [p for p in pool.map(problem, headers) if p]
print("\n".join(problems) or f"{len(headers)} headers compile alone")
sys.exit(1 if problems or not headers else 0)
