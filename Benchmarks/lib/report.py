"""Tables in Markdown and bars in SVG, from the lines of results.jsonl."""

import json
import os
import statistics
from html import escape

import bars
import rows

MODES = {"train": "Training step", "infer": "Inference"}


def facts(options, date):
    """What a reader has to know of a run."""
    return {
        "date": date, "processor": processor(), "threads": options.threads, "rounds": options.rounds,
        "seconds": options.seconds,
    }


def processor():
    """The processor's name and number, as far as the system tells."""
    name = "unknown processor"
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                name = line.split(":")[1].strip()
                break
    return f"{name}, {os.cpu_count()} processors"


class Entry:
    """What all rounds of one entrant in one row say."""

    def __init__(self, results):
        good = [result for result in results if "error" not in result]
        timed = [result for result in good if "ms_median" in result]
        self.error = next((result["error"] for result in results if "error" in result), None)
        self.rounds = len(timed)
        self.version = timed[0].get("version") if timed else None
        self.tcmalloc = any(result.get("tcmalloc") for result in good)

        def middle(field):
            values = [result[field] for result in good if field in result]
            return statistics.median(values) if values else None

        self.ms = middle("ms_median")
        self.least = min((result["ms_min"] for result in timed), default=None)
        self.memory = middle("peak_rss_mb")
        self.peak_share = middle("percent_of_peak")
        self.other = middle("other_cpus")
        self.value = timed[0].get("first_value") if timed else None
        firsts = [result["first_step_s"] for result in good if "first_step_s" in result]
        # Caches are cold at the first start only.
        self.cold = firsts[0] if firsts else None
        self.warm = firsts[1] if len(firsts) > 1 else None


def grouped(results, row):
    """{entrant: its results}, those of one row."""
    found = {}
    for result in results:
        if (result["model"], result["mode"], result["batch"]) == (row.network, row.mode, row.batch):
            found.setdefault(result["rival"], []).append(result)
    return found


def medians(results, row):
    """{entrant: median of its rounds in ms}, without those that failed."""
    entries = {name: Entry(own) for name, own in grouped(results, row).items()}
    return {name: entry.ms for name, entry in entries.items() if entry.ms is not None}


def milliseconds(value):
    digits = 3 if value < 10 else 2 if value < 100 else 1 if value < 1000 else 0
    return f"{value:,.{digits}f}"


def cell(entry, field, text):
    if entry is None:
        return ""
    value = getattr(entry, field)
    if value is not None:
        return text(value)
    return "failed" if entry.error else "–"


class Section:
    """The rows of one mode that have results."""

    def __init__(self, mode, results):
        self.mode = mode
        pairs = [(row, grouped(results, row)) for row in rows.ROWS if row.mode == mode]
        self.rows = [
            (row, {name: Entry(own) for name, own in found.items()}) for row, found in pairs if found]
        names = {name for _, entries in self.rows for name in entries}
        self.rivals = [rival.name for rival in rows.RIVALS if rival.name in names]

    def best(self, entries, field):
        """The rival with the least of something, and how much that is."""
        found = [(getattr(entries[name], field), name) for name in self.rivals if name in entries]
        found = [pair for pair in found if pair[0] is not None]
        return min(found) if found else (None, None)

    def ratio(self, entries):
        """How many times as fast convc is as the fastest rival."""
        own, (rival, _) = entries.get(rows.CONVC), self.best(entries, "ms")
        return rival / own.ms if own and own.ms and rival else None

    def memory_share(self, entries):
        own, (rival, _) = entries.get(rows.CONVC), self.best(entries, "memory")
        return own.memory / rival if own and own.memory and rival else None

    # Tables

    def table(self, heads, line):
        titles = [rows.TITLES[name] for name in self.rivals]
        lines = ["| network | batch | " + " | ".join(heads + titles) + " |"]
        lines.append("|---" * 1 + "|--:" * (1 + len(heads) + len(titles)) + "|")
        for row, entries in self.rows:
            lines.append("| " + " | ".join([row.network, str(row.batch), *line(entries)]) + " |")
        return lines

    def cells(self, entries, field, text):
        _, best = self.best(entries, field)
        for name in self.rivals:
            words = cell(entries.get(name), field, text)
            yield f"**{words}**" if name == best else words

    def times(self):
        def line(entries):
            own, ratio = entries.get(rows.CONVC), self.ratio(entries)
            share = own.peak_share if own else None
            return [
                cell(own, "ms", milliseconds), f"{ratio:.2f}" if ratio else "",
                f"{share:.0f} %" if share is not None else "", *self.cells(entries, "ms", milliseconds)]

        return self.table(["convc", "times as fast", "of peak"], line)

    def memory(self):
        def line(entries):
            share = self.memory_share(entries)
            text = lambda value: f"{value:,.0f}"
            own = cell(entries.get(rows.CONVC), "memory", text)
            return [own, f"{100 * share:.0f} %" if share else "", *self.cells(entries, "memory", text)]

        return self.table(["convc", "of the leanest"], line)

    def first_steps(self):
        def line(entries):
            own, text = entries.get(rows.CONVC), lambda value: f"{value:,.2f}"
            return [cell(own, "cold", text), cell(own, "warm", text), *self.cells(entries, "cold", text)]

        return self.table(["convc", "convc again"], line)

    # Notes

    def notes(self, rounds):
        for row, entries in self.rows:
            for name, entry in entries.items():
                title = f"{row.mode} {row.name}, {rows.TITLES[name]}"
                if entry.error:
                    yield f"{title}: {entry.error}"
                elif entry.rounds < rounds:
                    yield f"{title}: {entry.rounds} of {rounds} rounds, left out as too slow"
                if entry.other is not None and entry.other > 0.1:
                    yield f"{title}: other work kept {entry.other:.2f} processors busy"
            yield from self.disagreements(row, entries)

    @staticmethod
    def disagreements(row, entries):
        """Rivals whose first loss, or outputs, differ: they do not compute the same network."""
        if row.mode == "train" and row.network in ("glioma", "tinyvgg"):
            return  # each draws its own dropout
        values = {name: entry.value for name, entry in entries.items() if entry.value is not None}
        if values and max(values.values()) - min(values.values()) > 1e-3 * abs(min(values.values())):
            told = ", ".join(f"{rows.TITLES[name]} {value:.6g}" for name, value in values.items())
            yield f"{row.mode} {row.name}: first values differ: {told}"


def versions(results):
    found = {}
    for result in results:
        if result.get("version"):
            tcmalloc = " with tcmalloc" if result.get("tcmalloc") else ""
            found[rows.TITLES[result["rival"]]] = result["version"] + tcmalloc
    return ", ".join(f"{title} {version}" for title, version in sorted(found.items()))


def peak(results):
    """The machine's peak in GFLOP/s, as convc measured it beside its steps: median and range."""
    found = [
        100 * result["gflops"] / result["percent_of_peak"] for result in results
        if result.get("percent_of_peak")]
    return (min(found), statistics.median(found), max(found)) if found else None


def markdown(results, run):
    sections = [section for section in (Section(mode, results) for mode in MODES) if section.rows]
    lines = [
        f"{run['date']}, {run['processor']}; {run['threads']} threads, float32, median of {run['rounds']}"
        f" interleaved rounds of {run['seconds']:g} s each."]
    found = peak(results)
    if found:
        lines.append(
            f"Peak of multiply-adds in the same runs: {found[1]:.0f} GFLOP/s ({found[0]:.0f} to {found[2]:.0f}).")
    lines.append(versions(results) + ".")
    for section in sections:
        title = MODES[section.mode]
        lines += ["", f"## {title}: milliseconds", "", *section.times()]
        lines += ["", f"## {title}: peak memory in MiB", "", *section.memory()]
        lines += ["", f"## {title}: seconds to the end of the first, caches cold", "", *section.first_steps()]
    notes = [note for section in sections for note in section.notes(run["rounds"])]
    if notes:
        lines += ["", "## Notes", ""] + [f"- {escape(note, quote=False)}" for note in notes]
    return "\n".join(lines) + "\n"


def pictures(results, run):
    """{file name: SVG}, one for each mode."""
    found = {}
    for mode, title in MODES.items():
        section = Section(mode, results)
        if not section.rows:
            continue
        groups = []
        for row, entries in section.rows:
            names = [name for name in [rows.CONVC, *section.rivals] if name in entries]
            times = [(rows.TITLES[name], entries[name].ms, name == rows.CONVC) for name in names]
            ratio = section.ratio(entries)
            head = f"{row.network}, batch {row.batch}" + (f": {ratio:.2f} times as fast" if ratio else "")
            groups.append((head, [(t, ms, f"{milliseconds(ms)} ms" if ms else "failed", own) for t, ms, own in times]))
        note = f"{run['date']}, {run['processor']}, {run['threads']} threads, float32; shorter is faster"
        found[f"{mode}.svg"] = bars.picture(f"{title}: time, fastest rival = 1", note, groups)
    return found


def write(folder):
    """Writes table.md and the pictures beside the results; returns their paths."""
    with open(os.path.join(folder, "results.jsonl")) as lines:
        results = [json.loads(line) for line in lines]
    with open(os.path.join(folder, "run.json")) as file:
        run = json.load(file)
    paths = []
    for name, text in {"table.md": markdown(results, run), **pictures(results, run)}.items():
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "w") as file:
            file.write(text)
    return paths
