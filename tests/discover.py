"""Writes the CTest file of a doctest program: one test per TEST_CASE, labelled with its test suite.

Usage: discover.py PROGRAM OUTPUT.cmake

doctest's own CMake module splits names at ';' and finds no suite for names with ','; this one reads
the program's XML listing instead, and refuses two cases of one name, of which CTest would run one.
"""

import subprocess
import sys
import xml.etree.ElementTree as xml


def quoted(text):
    """A CMake bracket argument, which nothing in the text can end or change."""
    level = 0
    while "]" + "=" * level in text + "]":
        level += 1
    return "[" + "=" * level + "[" + text + "]" + "=" * level + "]"


def main(program, output):
    listing = subprocess.run(
        [program, "--list-test-cases", "--reporters=xml"], check=True, stdout=subprocess.PIPE)
    lines, seen = [], {}
    for case in xml.fromstring(listing.stdout).iter("TestCase"):
        name, place = case.get("name"), f'{case.get("filename")}:{case.get("line")}'
        if name in seen:
            sys.exit(f'{place}: error: another test case, {seen[name]}, is also called "{name}"')
        seen[name] = place
        # In a filter a comma separates patterns.
        wanted = name.replace("\\", "\\\\").replace(",", "\\,")
        lines.append(f"add_test({quoted(name)} {quoted(program)} {quoted('--test-case=' + wanted)})")
        lines.append(f"set_tests_properties({quoted(name)} PROPERTIES"
                     f' SKIP_REGULAR_EXPRESSION "SKIPPED:.*Status: SUCCESS"'
                     f' FAIL_REGULAR_EXPRESSION "test cases: +0 "')
        if case.get("testsuite"):
            lines[-1] += f' LABELS {quoted(case.get("testsuite"))}'
        lines[-1] += ")"
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


main(*sys.argv[1:])
