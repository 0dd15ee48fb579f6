#!/usr/bin/env python3
"""Times effnet beside PyTorch, ONNX Runtime and OpenVINO, and draws what it found.

    python3 benchmarks/compare_peers.py --json speed.json

builds what it needs, installs the peers from PyPI into an environment of their own outside the
checkout, waits for a quiet machine, and times every work with every system: each in a process of
its own, in turn, several rounds. It prints the table and the ratios effnet / best peer (of smallest
times; PyTorch counts with the better of eager and compiled) and writes speed.json and speed.svg.

Exits with 2 where an option makes no sense, 3 where the machine stays busy, 1 where a part fails.
"""
import argparse
import json
import os
import pathlib
import signal
import sys

from bar_chart import bar_chart
from comparison import Comparison
from effnet_programs import SOURCE, BuildFailed, EffnetPrograms
from peer_environment import PeerEnvironment, PeerFailed, default_folder
from quiet_machine import MachineBusy, use_by_others, wait_until_quiet
from timing_progress import TimingProgress
from works import WORKS


class OneSentenceParser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"{self.prog}: {message}\n")


def parsed_options():
    cores = len(os.sched_getaffinity(0))
    parser = OneSentenceParser(description=__doc__.splitlines()[0], epilog=(
        "Works: " + ", ".join(WORKS) + ". Names are MODEL_SIZE_nBATCH."))
    parser.add_argument("--work", nargs="+", metavar="NAME", default=list(WORKS),
                        help="what to time (default: every work)")
    parser.add_argument("--threads", nargs="+", type=int, metavar="N",
                        help="thread counts (default: 2 and 1; the V2-S training steps, 2 only)")
    parser.add_argument("--rounds", type=int, metavar="N", help="(default: 5)")
    parser.add_argument("--quick", action="store_true", help="3 rounds")
    parser.add_argument("--json", type=pathlib.Path, metavar="OUT", help="write the figures")
    parser.add_argument("--picture", type=pathlib.Path, metavar="OUT.svg",
                        help="draw them (default: beside --json)")
    parser.add_argument("--peers", type=pathlib.Path, metavar="DIR", default=default_folder(),
                        help="the peers' environment (default: %(default)s)")
    parser.add_argument("--build-dir", type=pathlib.Path, metavar="DIR",
                        help="a build of effnet to take as it is")
    parser.add_argument("--busy-ok", action="store_true",
                        help="time on a busy machine too, to try the script out")
    options = parser.parse_args()

    if unknown := [name for name in options.work if name not in WORKS]:
        parser.error(f"there is no work {', '.join(unknown)}; there are {', '.join(WORKS)}")
    if wrong := [n for n in options.threads or [2, 1] if not 1 <= n <= cores]:
        parser.error(f"--threads {wrong[0]} is not possible with {cores} core"
                     f"{'s' if cores > 1 else ''}; it has to lie in 1 to {cores}")
    if options.quick and options.rounds is not None:
        parser.error("--quick means --rounds 3; give one of them")
    options.rounds = options.rounds if options.rounds is not None else 3 if options.quick else 5
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds} times nothing; it takes at least 1")
    if options.picture is None and options.json is not None:
        options.picture = options.json.with_suffix(".svg")
    for path in (options.json, options.picture):
        if path is not None and not os.access(path.absolute().parent, os.W_OK):
            parser.error(f"{path} cannot be written: {path.absolute().parent} is no folder where "
                         "files can be made")
    options.peers = options.peers.expanduser().absolute()
    if options.peers.is_relative_to(SOURCE):
        parser.error(f"--peers {options.peers} lies in the checkout {SOURCE}; choose a folder "
                     "outside")
    return options


def threads_of(work, chosen):
    return dict.fromkeys(chosen) if chosen else ((2, 1) if work.on_one_thread else (2,))


def child_environment(threads):
    """The same for every system. Neither oneDNN may compute in less than float32; a waiting thread
    spins for as short a time as in effnet's programs."""
    return os.environ | {"OMP_NUM_THREADS": str(threads), "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",
                         "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "10000")}


class Timing:
    """One comparison being made."""

    def __init__(self, options, programs, peers, versions):
        self.options, self.programs, self.peers = options, programs, peers
        self.found = Comparison({"cores": os.cpu_count(), "rounds": options.rounds, **versions})
        self.found.machine["quiet"] = True
        self.runs = [(WORKS[name], threads) for name in dict.fromkeys(options.work)
                     for threads in threads_of(WORKS[name], options.threads)]
        self.not_compiled = set()
        self.progress = TimingProgress((number, work, threads, system)
                                       for work, threads in self.runs
                                       for number in range(1, options.rounds + 1)
                                       for system in work.systems)

    def time_all(self):
        for work, threads in self.runs:
            try:
                for _ in range(self.options.rounds):
                    self.look_for_others()
                    self.time_round(work, threads)
            except BaseException:
                self.found.forget(work, threads)
                raise

    def look_for_others(self):
        if not self.options.busy_ok:
            wait_until_quiet(self.progress.say)
        elif self.found.machine["quiet"] and (use := use_by_others()).busy:
            self.found.machine["quiet"] = False
            self.found.remarks.append(f"taken on a busy machine, so no figure counts: {use}")

    def time_round(self, work, threads):
        environment = child_environment(threads)
        passes = 0
        for system in work.systems:
            self.progress.begin()
            if system == "effnet":
                result = self.programs.time(work, threads, environment)
                passes = len(result["times"])
                self.found.machine |= result.pop("machine")
            elif (work, threads, system) in self.not_compiled:
                result = None
            else:
                result = self.time_peer(system, work, threads, passes, environment)
            if result is not None:
                self.found.add(work, threads, system, result)
            self.progress.end()

    def time_peer(self, system, work, threads, passes, environment):
        try:
            return self.peers.time(system, work, threads, passes, environment)
        except PeerFailed as failure:
            if system != "pytorch_compiled":
                raise
            self.not_compiled.add((work, threads, system))
            self.found.forget(work, threads, system)
            remark = (f"{failure}; only eager PyTorch is compared there (torch.compile needs a "
                      "C++ compiler and Python's headers)")
            self.found.remarks.append(remark)
            self.progress.say(f"remark: {remark}")
            return None


def say(sentence):
    print(sentence, file=sys.stderr, flush=True)


def prepared(options):
    if options.build_dir is None:
        say("building the benchmarks (preset release)")
    programs = EffnetPrograms.built(options.build_dir)
    peers = PeerEnvironment(options.peers)
    return Timing(options, programs, peers, versions=peers.install(say))


def write(found, options):
    print(found.as_text())
    if options.json is not None:
        options.json.write_text(json.dumps(found.as_json(), indent=1) + "\n")
    if options.picture is not None:
        options.picture.write_text(bar_chart(found))


def main():
    options = parsed_options()
    timing, status, reason = None, 0, ""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # keeps what is finished as well
    try:
        timing = prepared(options)
        timing.time_all()
    except MachineBusy as busy:
        status, reason = 3, str(busy)
    except (BuildFailed, PeerFailed) as failure:
        status, reason = 1, str(failure)
    except KeyboardInterrupt:
        status, reason = 130, "interrupted"
    if status != 0:
        (timing.progress.say if timing else say)(f"compare_peers.py: {reason}")
    # What was finished is worth keeping: a whole comparison takes more than an hour.
    if timing and timing.found.rounds:
        if status != 0:
            timing.found.remarks.append(f"unfinished: {reason}")
        write(timing.found, options)
    return status


if __name__ == "__main__":
    sys.exit(main())
