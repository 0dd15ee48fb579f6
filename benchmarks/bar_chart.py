"""A comparison as a picture (SVG): a column for every number of threads, or of inference and of
training where there is one number; a bar for every system."""
import textwrap
from xml.sax.saxutils import escape

from works import SYSTEM_TITLES, WORKS

COLUMN, MARGIN, GAP = 500, 24, 36
NAME, VALUE = 118, 92          # room for the system's name, and beside the longest bar
FIGURE = 52                    # width of a figure
BAR, STEP = 10, 14             # height of a bar, and from one to the next
LONGEST = 4.0                  # times the best peer; longer bars are cut
OWN, PEER, INK, FAINT, ALARM = "#c2410c", "#7b93a8", "#1f2933", "#616e7c", "#b91c1c"


def text(x, y, words, size=12, colour=INK, anchor="start", weight="normal"):
    return (f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def figure(value, unit):
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:#.3g} {unit}"


class Column:
    """Sections of groups of bars, from the top down."""

    def __init__(self, x, y):
        self.x, self.y, self.parts = x, y, []

    def section(self, title):
        self.y += 30
        self.parts.append(text(self.x, self.y, title, 14, weight="bold"))

    def group(self, title, values, unit):
        """`values`: {system: figure}, effnet's among them."""
        peers = [value for system, value in values.items() if system != "effnet"]
        longest_bar = COLUMN - NAME - VALUE
        left = self.x + NAME
        self.y += 22
        self.parts.append(text(self.x, self.y, title, weight="bold"))
        if peers and "effnet" in values:
            self.parts.append(text(self.x + COLUMN, self.y, "effnet / best peer "
                                   f"{values['effnet'] / min(peers):.2f}", 12, OWN, "end", "bold"))
        unity = min(peers) if peers else max(values.values())
        self.y += 6
        top, line = self.y, left + longest_bar / LONGEST
        for system, value in values.items():
            colour = OWN if system == "effnet" else PEER
            length = min(value / unity, LONGEST) / LONGEST * longest_bar
            self.parts.append(text(left - 6, self.y + 9, SYSTEM_TITLES[system], 11,
                                   colour if system == "effnet" else INK, "end"))
            self.parts.append(f'<rect x="{left}" y="{self.y}" width="{length:.1f}" '
                              f'height="{BAR}" fill="{colour}"/>')
            if value > LONGEST * unity:
                cut = left + length - 14
                self.parts.append(f'<path d="M{cut:.1f} {self.y + BAR} l4 -{BAR} h4 l-4 {BAR} z" '
                                  'fill="white"/>')
            # Not across the dashed line.
            beside = left + length + 5
            if peers and beside < line + 5 and beside + FIGURE > line:
                beside = line + 5
            self.parts.append(text(beside, self.y + 9, figure(value, unit), 11))
            self.y += STEP
        if peers:
            self.parts.append(f'<path d="M{line:.1f} {top - 2} V{self.y - 2}" stroke="{INK}" '
                              'stroke-dasharray="3 2" stroke-width="1"/>')


def head(found):
    """Lines of (words, colour) under the title."""
    machine = found.machine
    rounds = machine["rounds"]
    known = {"effnet": "effnet", "onednn": "oneDNN", "torch": "PyTorch",
             "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "timm": "timm"}
    versions = ", ".join(f"{title} {machine[key]}" for key, title in known.items()
                         if key in machine)
    lines = [(f"{machine.get('cpu', 'unknown processor')}, {machine['cores']} cores, "
              f"{machine.get('isa', 'unknown ISA')}", INK),
             (versions, INK),
             (f"float32; smallest time of {rounds} round{'s' if rounds > 1 else ''}, each in a "
              "process of its own; shorter is better; dashed: the best peer", FAINT)]
    for remark in found.remarks:
        lines += [(part, ALARM) for part in textwrap.wrap(remark, 165)]
    return lines


def bar_chart(found):
    threads = found.thread_counts()
    width = max(2 * COLUMN + GAP, len(threads) * (COLUMN + GAP) - GAP) + 2 * MARGIN
    parts, y = [text(MARGIN, 38, "effnet beside its peers", 20, weight="bold")], 42
    for words, colour in head(found):
        y += 18
        parts.append(text(MARGIN, y, words, 12, colour))

    apart = len(threads) == 1  # inference and training
    columns = [Column(MARGIN + number * (COLUMN + GAP), y)
               for number in range(2 if apart else len(threads))]
    rows = found.rows()
    for number, count in enumerate(threads):
        spoken = f"{count} thread{'s' if count > 1 else ''}"
        for title, key, unit, trains in (
                (f"Inference, {spoken}", "min_ms", "ms", False),
                (f"Training step, {spoken}", "min_ms", "ms", True),
                (f"Peak memory of training, {spoken}", "peak_mb", "MB", True)):
            groups = {}
            for row in rows:
                if row["threads"] == count and WORKS[row["work"]].trains == trains:
                    groups.setdefault(row["work"], {})[row["system"]] = row[key]
            beside = apart and trains and columns[0].parts
            column = columns[1 if beside else number]
            if groups:
                column.section(title)
            for work, values in groups.items():
                column.group(WORKS[work].label, values, unit)
    height = max(column.y for column in columns) + MARGIN
    parts += [part for column in columns for part in column.parts]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="DejaVu Sans, Arial, sans-serif">',
        f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>", ""])
