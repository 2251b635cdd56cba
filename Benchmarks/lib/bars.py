"""Groups of horizontal bars as SVG, to be read on a slide."""

from html import escape

WIDTH, LABELS, VALUES = 960, 200, 110
BAR, GAP, HEAD = 16, 5, 30
# Bars longer than this many times the fastest rival's are cut.
LONGEST = 4
OWN, OTHER, INK = "#d1495b", "#9aa5b1", "#1f2933"


def picture(title, note, groups):
    """The bars of each group relative to the least of those that are not our own.

    - groups: (title, [(label, value or None, text, is own)])
    """
    room = WIDTH - LABELS - VALUES
    parts = [text(16, 30, title, 20, weight="bold"), text(16, 52, note, 13, fill="#52606d")]
    y = 72
    for head, entries in groups:
        values = [value for _, value, _, own in entries if value and not own]
        unit = min(values or [value for _, value, _, _ in entries if value] or [1])
        y += HEAD
        parts.append(text(16, y - 8, head, 16, weight="bold"))
        top = y
        for label, value, words, own in entries:
            share = min(value / unit, LONGEST) if value else 0
            length = max(1, room * share / LONGEST) if value else 0
            color = OWN if own else OTHER
            parts.append(text(LABELS - 8, y + BAR - 3, label, 14, anchor="end", weight="bold" if own else "normal"))
            parts.append(f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{color}"/>')
            if value and value / unit > LONGEST:
                parts.append(cut(LABELS + length - 24, y))
            parts.append(text(LABELS + length + 6, y + BAR - 3, words, 14, weight="bold" if own else "normal"))
            y += BAR + GAP
        line = LABELS + room / LONGEST
        parts.append(
            f'<line x1="{line:.1f}" y1="{top - 2}" x2="{line:.1f}" y2="{y - GAP + 2}" stroke="{INK}"'
            ' stroke-dasharray="3 3"/>')
    height = y + 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' font-family="Helvetica, Arial, sans-serif">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


def text(x, y, words, size, fill=INK, anchor="start", weight="normal"):
    return (
        f'<text x="{x:.1f}" y="{y}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"'
        f' font-weight="{weight}">{escape(words)}</text>')


def cut(x, y):
    """Two slanted lines: the bar is longer than it is drawn."""
    lines = [f'<path d="M{x + d:.1f} {y + BAR + 2} l6 -{BAR + 4}" stroke="white" stroke-width="3"/>' for d in (0, 8)]
    return "".join(lines)
