"""Checks that a source does not compile, and that the compiler says why.

Usage: must_not_compile.py SOURCE.cpp COMPILER [FLAG...]

The first line of the source is "// expect: TEXT". Everything between "#ifdef REFUSED" and "#endif"
is what the compiler has to refuse: without it the source has to compile, so that a fault elsewhere
does not pass for the expected one.
"""

import subprocess
import sys

source, command = sys.argv[1], [f for f in sys.argv[2:] if f not in ("-I/usr/include", "-I")]
with open(source, encoding="utf-8") as file:
    text = file.read()
first = text.splitlines()[0]
if not first.startswith("// expect: "):
    sys.exit(f'{source}:1: the first line has to be "// expect: TEXT"')
if "#ifdef REFUSED" not in text:
    sys.exit(f"{source}: there is no #ifdef REFUSED around what has to be refused")
expected = first.removeprefix("// expect: ").strip()


def compiled(*flags):
    return subprocess.run([*command, *flags, "-fsyntax-only", source], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


accepted = compiled()
if accepted.returncode:
    sys.exit(f"{source} does not compile even without the part to be refused:\n{accepted.stdout}")
refused = compiled("-DREFUSED")
if refused.returncode == 0:
    sys.exit(f"{source} compiles, but has to be refused with: {expected}")
if expected not in refused.stdout:
    sys.exit(f"{source} is refused, but not with: {expected}\n{refused.stdout}")
print(expected)
