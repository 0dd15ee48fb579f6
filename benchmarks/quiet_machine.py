"""Whether other processes use the processors: a figure taken beside them is no figure."""
import dataclasses
import os
import pathlib
import time

TICKS = os.sysconf("SC_CLK_TCK")
WINDOW = 5.0    # seconds over which use is measured
ALLOWED = 0.10  # of one core, by all other processes together
PATIENCE = 600  # seconds
SAID_EVERY = 60


class MachineBusy(Exception):
    """A sentence that says who used the processors."""


@dataclasses.dataclass(frozen=True)
class Use:
    cores: float     # that others used
    busiest: tuple   # (cores, pid, name), the most first

    @property
    def busy(self):
        return self.cores > ALLOWED

    def __str__(self):
        named = ", ".join(f"{name} (process {pid}, {100 * cores:.0f} %)"
                          for cores, pid, name in self.busiest[:4] if cores >= 0.02)
        # Processes that ended meanwhile, and what the host took for others, have no name here.
        who = named or "no process of long life, or the host of this virtual machine"
        return (f"others use {100 * self.cores:.0f} % of a core, of {100 * ALLOWED:.0f} % allowed: "
                f"{who}")


def processor_seconds():
    """Busy time of all processors since the start, with what the host took away."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, fields)
    return (user + nice + system + irq + softirq + stolen) / TICKS


def process_seconds():
    """{(pid, start): (name, seconds)} of all other processes that can be seen."""
    seconds = {}
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            head, _, tail = (folder / "stat").read_text().rpartition(")")
        except OSError:  # it has just ended
            continue
        fields = tail.split()
        seconds[int(folder.name), fields[19]] = (head.partition("(")[2],
                                                 (int(fields[11]) + int(fields[12])) / TICKS)
    return seconds


def use_by_others(window=WINDOW):
    """Call it while this process has no children that run."""
    own, all_before, before = time.process_time(), processor_seconds(), process_seconds()
    start = time.monotonic()
    time.sleep(window)
    lasted = time.monotonic() - start
    own, all_after, after = time.process_time() - own, processor_seconds(), process_seconds()
    busiest = sorted((((seconds - before.get(key, (name, 0.0))[1]) / lasted, key[0], name)
                      for key, (name, seconds) in after.items()), reverse=True)
    # Short processes show in the total only; in some containers the total is not to be seen.
    total = max(all_after - all_before - own, sum(share for share, *_ in busiest) * lasted)
    return Use(total / lasted, tuple(busiest))


def wait_until_quiet(say):
    """Returns when a window was quiet; raises MachineBusy when none was within PATIENCE."""
    start = said = time.monotonic()
    while (use := use_by_others()).busy:
        now = time.monotonic()
        if now - start >= PATIENCE:
            raise MachineBusy(f"the machine was busy for {PATIENCE / 60:.0f} minutes: {use}; end "
                              "those processes or come back later (--busy-ok times all the same, "
                              "to try the script out)")
        if said == start or now - said >= SAID_EVERY:
            left = (start + PATIENCE - now) / 60
            say(f"waiting for a quiet machine, {left:.0f} minutes at most: {use}")
            said = now
