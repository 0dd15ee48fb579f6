"""What a comparison found: a row for every work, system and number of threads, and the ratios."""
import statistics

from works import MEMORY_WORK, SYSTEM_TITLES, WORKS


class Comparison:
    def __init__(self, machine):
        self.machine = machine
        self.remarks = []
        self.rounds = {}  # (work name, threads) -> {system: what every round gave}

    def add(self, work, threads, system, round_result):
        self.rounds.setdefault((work.name, threads), {}).setdefault(system, []).append(round_result)

    def forget(self, work, threads, system=None):
        """Where rounds are missing, a figure would be of less than the others."""
        if system is None:
            self.rounds.pop((work.name, threads), None)
        else:
            self.rounds.get((work.name, threads), {}).pop(system, None)

    def rows(self):
        return [self._row(name, threads, system, rounds)
                for (name, threads), systems in self.rounds.items()
                for system, rounds in systems.items()]

    @staticmethod
    def _row(name, threads, system, rounds):
        times = [time for one in rounds for time in one["times"]]
        # The least peak, since the first round of a compiled network also compiles.
        return {"work": name, "system": system, "threads": threads, "min_ms": round(min(times), 4),
                "median_ms": round(statistics.median(times), 4),
                "peak_mb": round(min(one["peak_mb"] for one in rounds), 1)}

    def ratios(self, threads):
        """effnet's smallest time over that of the best peer; below 1 effnet is faster."""
        ratios = {}
        for name in WORKS:
            if (ratio := self._ratio(name, threads, "min_ms")) is not None:
                ratios[name] = ratio
        if threads == 2 and (ratio := self._ratio(MEMORY_WORK, threads, "peak_mb")) is not None:
            ratios[f"memory_{MEMORY_WORK}"] = ratio
        return ratios

    def _ratio(self, name, threads, figure):
        rows = {row["system"]: row[figure] for row in self.rows()
                if row["work"] == name and row["threads"] == threads}
        own = rows.pop("effnet", None)
        return round(own / min(rows.values()), 4) if own and rows else None

    def thread_counts(self):
        return sorted({threads for _, threads in self.rounds}, reverse=True)

    def as_json(self):
        found = {"machine": self.machine, "remarks": self.remarks, "rows": self.rows(),
                 "ratios": self.ratios(2), "ratios_1thread": self.ratios(1)}
        for threads in self.thread_counts():
            if threads > 2:
                found[f"ratios_{threads}threads"] = self.ratios(threads)
        return found

    def as_text(self):
        lines = [", ".join(f"{key} {value}" for key, value in self.machine.items()), ""]
        lines.append(f"{'work':<20}{'system':<20}{'threads':>7}{'min ms':>11}{'median ms':>11}"
                     f"{'peak MB':>9}")
        for row in self.rows():
            lines.append(f"{row['work']:<20}{SYSTEM_TITLES[row['system']]:<20}{row['threads']:>7}"
                         f"{row['min_ms']:>11.2f}{row['median_ms']:>11.2f}{row['peak_mb']:>9.0f}")
        for threads in self.thread_counts():
            lines += ["", f"effnet / best peer, {threads} thread{'s' if threads > 1 else ''}"]
            lines += [f"{name:<28}{ratio:>6.2f}" for name, ratio in self.ratios(threads).items()]
        return "\n".join(lines + [f"remark: {remark}" for remark in self.remarks])
