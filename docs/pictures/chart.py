"""Line charts as SVG, by the standard library alone: what the guides' pictures are drawn with.

  chart = Chart("title", width=760, height=380)
  panel = chart.panel(70, 50, 560, 260, x=(0, 100), y=(1e-6, 1), log=True, x_title="steps")
  panel.line([0, 50, 100], [1, 1e-3, 1e-6], COLOURS[0], label="tanh")
  chart.save("picture.svg")

White ground of its own, so that it is legible on light and dark pages. Colours after Okabe and Ito, which colour-blind
readers tell apart, two of them darker for text; every line has a dash pattern and its name beside it too.
"""

import math
from xml.sax.saxutils import escape

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#A8497C", "#8A6D00", "#000000"]
DASHES = ["", "9 4", "3 3", "12 3 3 3", "6 2", "2 2"]
INK, FAINT = "#222222", "#d9d9d9"


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


def power(exponent):
    return "10" + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(c)] if c != "-" else "⁻" for c in str(exponent)) if exponent else "1"


class Chart:
    def __init__(self, description, width, height):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" font-family="Helvetica,Arial,sans-serif" font-size="13" fill="{INK}">',
            f"<title>{escape(description)}</title>",
            f'<rect width="{width}" height="{height}" rx="6" fill="#ffffff"/>']
        self.panels = 0

    def text(self, x, y, words, anchor="start", colour=INK, size=13, bold=False, turn=False):
        weight = ' font-weight="bold"' if bold else ""
        turned = f' transform="rotate(-90 {number(x)} {number(y)})"' if turn else ""
        self.parts.append(f'<text x="{number(x)}" y="{number(y)}" text-anchor="{anchor}" fill="{colour}" '
                          f'font-size="{size}"{weight}{turned}>{escape(words)}</text>')

    def panel(self, *place, **axes):
        self.panels += 1
        return Panel(self, self.panels, *place, **axes)

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.svg())

    def svg(self):
        return "\n".join(self.parts + ["</svg>"]) + "\n"


class Panel:
    """Axes from the corner (left, top); what lies outside of them is cut off."""

    def __init__(self, chart, index, left, top, width, height, x, y, log=False, title="", x_title="", y_title="",
                 x_step=None, y_step=None):
        self.chart, self.left, self.top, self.width, self.height = chart, left, top, width, height
        self.x_range, self.y_range, self.log = x, y, log
        self.clip = f"panel{index}"
        chart.parts.append(f'<clipPath id="{self.clip}"><rect x="{left}" y="{top}" width="{width}" '
                           f'height="{height}"/></clipPath>')
        self.draw_grid(x_step, y_step)
        chart.text(left, top - 10, title, bold=True)
        chart.text(left + width / 2, top + height + 36, x_title, anchor="middle")
        chart.text(left - 50, top + height / 2, y_title, anchor="middle", turn=True)

    def draw_grid(self, x_step, y_step):
        low, high = self.x_range
        step = x_step or (high - low) / 5
        for i in range(int((high - low) / step + 1e-9) + 1):
            value = low + i * step
            self.chart.text(self.x(value), self.top + self.height + 17, f"{value:,.0f}", anchor="middle", size=12)
        low, high = self.y_range
        first, last = (math.log10(low), math.log10(high)) if self.log else (low, high)
        step = y_step or (last - first) / 5
        for i in range(int((last - first) / step + 1e-9) + 1):
            value = first + i * step
            y = self.y(10 ** value if self.log else value)
            self.chart.parts.append(f'<path d="M{self.left} {number(y)}h{self.width}" stroke="{FAINT}"/>')
            self.chart.text(self.left - 7, y + 4, power(round(value)) if self.log else f"{value:g}", anchor="end", size=12)
        self.chart.parts.append(f'<path d="M{self.left} {self.top}v{self.height}h{self.width}" fill="none" '
                                f'stroke="{INK}"/>')

    def x(self, value):
        low, high = self.x_range
        return self.left + self.width * (value - low) / (high - low)

    def y(self, value):
        low, high = self.y_range
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, 1e-300))
        place = (value - low) / (high - low)
        return self.top + self.height * (1 - min(max(place, -1), 2))

    def path(self, xs, ys):
        return "M" + "L".join(f"{number(self.x(x))} {number(self.y(y))}" for x, y in zip(xs, ys))

    def line(self, xs, ys, colour, dash="", width=2.2, label="", at=None, shift=0):
        """`at`: the index of the point beside which the label stands; the last one if not told."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.chart.parts.append(f'<path clip-path="url(#{self.clip})" d="{self.path(xs, ys)}" fill="none" '
                                f'stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{dashed}/>')
        if label:
            i = len(xs) - 1 if at is None else at
            self.chart.text(self.x(xs[i]) + 6, self.y(ys[i]) + 4 + shift, label, colour=colour, bold=True)

    def band(self, xs, lower, upper, colour):
        back = self.path(xs[::-1], upper[::-1])[1:]
        self.chart.parts.append(f'<path clip-path="url(#{self.clip})" d="{self.path(xs, lower)}L{back}Z" '
                                f'fill="{colour}" opacity="0.2"/>')

    def level(self, value, words, anchor="start"):
        y = self.y(value)
        self.chart.parts.append(f'<path d="M{self.left} {number(y)}h{self.width}" stroke="#666666" '
                                f'stroke-dasharray="1 3"/>')
        x = self.left + (6 if anchor == "start" else self.width - 6)
        self.chart.text(x, y - 5, words, anchor=anchor, colour="#555555", size=12)
