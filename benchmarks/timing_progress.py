"""What is being timed and how long the rest takes: one line that changes, or lines in a file."""
import statistics
import sys
import time


def spoken(seconds):
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"about {minutes // 60} h {minutes % 60} min"
    return f"about {minutes} min" if minutes else "less than a minute"


class TimingProgress:
    """`steps` are (round, work, threads, system), in the order in which they will be done."""

    def __init__(self, steps):
        self.left = list(steps)
        self.count = len(self.left)
        self.took = {}  # (work, threads, system) -> seconds of every round
        self.on_terminal = sys.stderr.isatty()

    def say(self, sentence):
        """A line of its own."""
        print(("\r\033[K" if self.on_terminal else "") + sentence, file=sys.stderr, flush=True)

    def begin(self):
        number, work, threads, system = self.left[0]
        line = (f"[{self.count - len(self.left) + 1}/{self.count}] {work.name}, "
                f"{threads} thread{'s' if threads > 1 else ''}, round {number}: {system}"
                f"{self._time_left()}")
        if self.on_terminal:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        else:
            self.say(line)
        self.start = time.monotonic()

    def end(self):
        _, work, threads, system = self.left.pop(0)
        self.took.setdefault((work, threads, system), []).append(time.monotonic() - self.start)
        if self.on_terminal and not self.left:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _time_left(self):
        """Later rounds take what the last one of the same took; others, what the system takes."""
        if not self.took:
            return ""
        by_system = {}
        for (_, _, system), seconds in self.took.items():
            by_system.setdefault(system, []).append(seconds[-1])
        usual = statistics.mean(seconds[-1] for seconds in self.took.values())
        left = 0.0
        for _, *step in self.left:
            system = step[-1]
            left += (self.took[tuple(step)][-1] if tuple(step) in self.took
                     else statistics.mean(by_system.get(system, [usual])))
        return f"; {spoken(left)} left"
