"""A picture of bars, as SVG: one group a set, one bar for each way to search, nod first."""

from collections.abc import Sequence
from html import escape

_COLOURS = ("#0b7a75", "#7f8c9b", "#9aa5b1", "#b6bec7", "#d08c4a")
_LEFT, _WIDTH, _BAR, _GAP = 110, 560, 16, 14


def bars(rows: Sequence[tuple[str, str, float]]) -> str:
    """Return a picture of (set, by, share) rows; shares are between 0 and 1."""
    names = list(dict.fromkeys(by for _, by, _ in rows))
    colour = {by: _COLOURS[n % len(_COLOURS)] for n, by in enumerate(names)}
    drawn: list[str] = []
    y, last = 40, ""
    for name, by, share in rows:
        if name != last:
            y += _GAP if last else 0
            drawn.append(f'<text x="{_LEFT - 10}" y="{y + 12}" text-anchor="end" font-weight="600">{escape(name)}</text>')
            last = name
        drawn.append(f'<rect x="{_LEFT}" y="{y}" width="{share * _WIDTH:.1f}" height="{_BAR - 3}" rx="2" fill="{colour[by]}"/>')
        drawn.append(f'<text x="{_LEFT + share * _WIDTH + 6:.1f}" y="{y + 11}">{share:.3f}</text>')
        y += _BAR
    legend, x = [], _LEFT
    for by in names:
        legend.append(f'<rect x="{x}" y="12" width="11" height="11" rx="2" fill="{colour[by]}"/>')
        legend.append(f'<text x="{x + 16}" y="22">{escape(by)}</text>')
        x += 30 + 7 * len(by)
    size = f'width="{max(x, _LEFT + _WIDTH + 60)}" height="{y + 10}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="12" fill="#24313d">\n'
        '<title>MRR@10</title>\n<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join([*legend, *drawn]) + "\n</svg>\n"
    )
