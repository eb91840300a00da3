"""Panels of lines as SVG: a logarithmic axis from left to right, one from zero upwards."""
import math
import typing
import xml.sax.saxutils

COLOURS = ("#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce")
WIDTH, HEIGHT = 360, 240  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 34, 44  # around its lines
LEGEND = 28


class Panel(typing.NamedTuple):
    x_title: str
    y_title: str
    x: list  # ascending, above zero
    lines: dict  # name: values


def short(number):
    """10000 as 10k."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g}{letter}"
    return f"{number:.3g}"


def ceiling(value):
    """The next round number that is not below the value."""
    power = 10 ** math.floor(math.log10(value)) if value > 0 else 1
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)


def text(x, y, what, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{xml.sax.saxutils.escape(what)}</text>'


def draw(panel, left, top):
    x_low, x_high = math.log10(panel.x[0]), math.log10(panel.x[-1])
    y_high = ceiling(max(max(values) for values in panel.lines.values()))
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x, y):
        share = (math.log10(x) - x_low) / (x_high - x_low) if x_high > x_low else 0.5
        return left + LEFT + share * width, top + TOP + (1 - y / y_high) * height

    out = [text(left + LEFT, top + TOP - 14, panel.y_title, "start", ' font-weight="bold"'),
           text(left + LEFT + width / 2, top + HEIGHT - 8, panel.x_title)]
    for quarter in range(5):
        _, y = place(panel.x[0], y_high * quarter / 4)
        out.append(f'<path d="M{left + LEFT} {y:.1f}h{width}" stroke="#8884" fill="none"/>')
        out.append(text(left + LEFT - 8, y + 4, short(y_high * quarter / 4), "end"))
    for x in panel.x:
        out.append(text(place(x, 0)[0], top + TOP + height + 18, short(x)))
    for colour, values in zip(COLOURS, panel.lines.values()):
        points = [place(x, y) for x, y in zip(panel.x, values)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return out


def write(path, rows):
    """Writes rows of panels, with a legend of the first one's lines above."""
    width, height = WIDTH * max(map(len, rows)), LEGEND + HEIGHT * len(rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
           ' font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="#fff"/>']
    x = LEFT
    for colour, name in zip(COLOURS, rows[0][0].lines):
        out.append(f'<path d="M{x} 20h18" stroke="{colour}" stroke-width="2"/>')
        out.append(text(x + 24, 24, name, "start"))
        x += 60 + 8 * len(name)
    for i, row in enumerate(rows):
        for j, panel in enumerate(row):
            out += draw(panel, j * WIDTH, LEGEND + i * HEIGHT)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([*out, "</svg>", ""]))
