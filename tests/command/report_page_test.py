"""The page of rondo train ... --report in headless Chromium: curves, exact values, the page that renews itself.

browser.py says what it needs, and skips without.
"""

from browser import PageTest, expect, setUpModule, tearDownModule

import json
import os
import subprocess

from report_test import ReportTest
from support import COMMAND, SMALL, corpus, main


def figure(value):
    """As the page shows it."""
    return f"{value:.5g}"


class ReportPage(ReportTest, PageTest):
    def open_page(self, name="run.html", **options):
        return self.open_address("file://" + os.path.realpath(self.path(name)), **options)

    def train_with_report(self, *words):
        self.write("train.csv", corpus(900))
        self.succeed("train", "classify", "-i", "train.csv", "-o", "m.rondo", *SMALL, "--after", "8e", "--patience", "0",
                     "--log", "log.jsonl", "--report", "run.html", "-t", "1", *words)

    def shown(self, page, chart, series):
        return page.locator(f'[data-chart="{chart}"] [data-series="{series}"] b').inner_text()

    def test_every_chart_is_there_and_shows_the_logs_values(self):
        self.train_with_report("--clip", "0.2")
        page = self.open_page()
        expect(page.locator("#state")).to_have_text("done")
        for chart in "Loss", "Dev accuracy", "Learning rate", "Gradient norm", "Clipped updates":
            expect(page.locator(f'[data-chart="{chart}"] svg.chart path').first).to_be_attached()
        self.assertEqual(page.locator("[data-gate]").count(), 6, "both directions, three gates")
        for entry in self.log("log.jsonl", "update"):
            page.evaluate("(update) => pointAt(update)", entry["update"])
            self.assertEqual(float(self.shown(page, "Loss", "epoch so far")), float(figure(entry["loss"])))
            self.assertEqual(float(self.shown(page, "Learning rate", "by the schedule")), float(figure(entry["rate"])))
            self.assertEqual(float(self.shown(page, "Gradient norm", "norm")), float(figure(entry["gradient_norm"])))
        for entry in self.log("log.jsonl", "evaluation"):
            page.evaluate("(update) => pointAt(update)", entry["update"])
            self.assertEqual(float(self.shown(page, "Loss", "dev")), float(figure(entry["dev_loss"])))
            self.assertEqual(float(self.shown(page, "Dev accuracy", "accuracy")), float(figure(entry["dev_metric"])))

    def test_a_hovered_place_and_the_arrow_keys_read_values(self):
        self.train_with_report()
        page = self.open_page()
        svg = page.locator('[data-chart="Loss"] svg.chart')
        box = svg.bounding_box()
        figures = self.figures()
        page.mouse.move(box["x"] + 48 + 1, box["y"] + 100)
        self.assertEqual(float(self.shown(page, "Loss", "updates")), float(figure(figures["curve"]["step_loss"][0])))
        page.mouse.move(0, 0)
        last = figures["curve"]["loss"][-1]
        self.assertEqual(float(self.shown(page, "Loss", "epoch so far")), float(figure(last)))
        svg.focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        self.assertEqual(float(self.shown(page, "Loss", "updates")), float(figure(figures["curve"]["step_loss"][-2])))
        expect(page.locator("#foot")).to_contain_text("At update")
        page.keyboard.press("Home")
        self.assertEqual(float(self.shown(page, "Loss", "updates")), float(figure(figures["curve"]["step_loss"][0])))
        page.keyboard.press("Escape")
        expect(page.locator("#foot")).to_contain_text("Move over a chart")

    def test_the_page_of_a_running_training_renews_itself_until_it_is_done(self):
        self.write("train.csv", corpus())
        run = subprocess.Popen([COMMAND, "train", "classify", "-i", "train.csv", "-o", "m.rondo", *SMALL, "--after", "100000u",
                                "--patience", "0", "-t", "1", "--report", "run.html"],
                               cwd=self.folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(run.kill)
        while run.poll() is None and not os.path.exists(self.path("run.html")):
            pass
        page = self.open_page()
        expect(page.locator("#state")).to_have_text("running")
        first = page.locator("#tiles dd").first.inner_text()
        expect(page.locator("#tiles dd").first).not_to_have_text(first, timeout=15000)
        page.locator("#reload").uncheck()
        kept = page.locator("#tiles dd").first.inner_text()
        page.wait_for_timeout(4000)
        self.assertEqual(page.locator("#tiles dd").first.inner_text(), kept, "a reader who wants it still has it still")
        run.terminate()
        run.wait()
        page.locator("#reload").check()
        expect(page.locator("#state")).to_have_text("stopped", timeout=15000)
        expect(page.locator("#why")).to_contain_text("--resume")

    def test_one_update_and_a_hundred_thousand_make_a_page(self):
        self.train_with_report()
        source = self.read("run.html").decode()
        figures = self.figures()
        for points in 0, 1, 2, 2000:
            curve = {name: [] if name != "width" else 64 for name in figures["curve"]}
            for i in range(points):
                curve["update"].append(64 * (i + 1))
                curve["updates"].append(64)
                for name in set(curve) - {"width", "update", "updates"}:
                    curve[name].append(None if i % 100 == 50 else 1 / (1 + i))
            evaluations = figures["evaluations"][:1] if points else []
            made = figures | {"curve": curve, "evaluations": evaluations, "best": None, "gates": figures["gates"][:1 if points else 0]}
            text = json.dumps(made).replace("<", "\\u003c")
            begin = source.index('id="figures">') + len('id="figures">')
            self.write("made.html", source[:begin] + text + source[source.index("</script>", begin):])
            page = self.open_page("made.html")
            self.assertEqual(page.locator("[data-chart]").count(), 5 if points else 0)

    def test_light_dark_and_a_narrow_window(self):
        self.train_with_report()
        colours = set()
        for scheme in "light", "dark":
            page = self.open_page(color_scheme=scheme, viewport={"width": 360, "height": 700})
            colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 360)
            page.click("#theme")
            colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(len(colours), 2)


if __name__ == "__main__":
    main()
