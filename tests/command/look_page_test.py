"""The page of `rondo look` in headless Chromium: every figure of every kind of model, values, keys, light and dark.

browser.py says what it needs, and skips without.
"""

from browser import PageTest, expect, setUpModule, tearDownModule

import struct

from look_test import NASTY, LookTest, floats
from support import main


INSIDE = ["connectivity", "gradient", "states", "unit", "search", "saturation"]
TEXT = 'goal " match team " chip'


class Figures(LookTest, PageTest):
    def open_page(self, *words, **options):
        """The page of a look."""
        self.succeed("look", *words, "-o", "page.html")
        return self.open_address("file://" + self.path("page.html"), **options)

    def figures(self, page):
        return page.locator("[data-figure]").evaluate_all("nodes => nodes.map((node) => node.dataset.figure)")

    def heat_map(self, page, name, entry=0):
        return page.locator(f"[data-figure=states] [data-entry='{entry}'] [data-series={name}] canvas[role=grid]")

    def hover(self, page, canvas, row, column, rows, columns):
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        page.mouse.move(box["x"] + (column + 0.5) * box["width"] / columns, box["y"] + (row + 0.5) * box["height"] / rows)

    def test_each_kind_of_model_has_its_figures(self):
        for model, text, own in [("news.rondo", TEXT, ["prediction"]), ("names.rondo", "Ada met Alan Turing", ["tags"]),
                                 ("poems.rondo", "the old coach", ["alternatives"]),
                                 ("en-de.rondo", "one red dog", ["translation", "alternatives", "attention", "beam"])]:
            with self.subTest(model):
                page = self.open_page(model, text)
                self.assertEqual(self.figures(page), own + INSIDE)
                self.assertEqual(page.locator(".look h2").count(), len(own + INSIDE))
                for part in page.locator("[role=img], [role=grid], [role=listbox]").all():
                    self.assertTrue(part.get_attribute("aria-label"))

    def test_a_cell_under_the_pointer_tells_its_value(self):
        page = self.open_page("news.rondo", TEXT)
        entry, = self.look("news.rondo", TEXT)
        steps = len(entry["tokens"])
        for one in entry["layers"][0]["series"]:
            values = floats(one["values"])
            for row, step in (0, 0), (5, 1), (7, steps - 1):
                self.hover(page, self.heat_map(page, one["name"]), row, step, 8, steps)
                shown, unit, token = page.locator(".look-note > *").all_inner_texts()
                self.assertEqual(struct.pack("<f", float(shown.split(" = ")[1])), struct.pack("<f", values[step * 8 + row]))
                self.assertEqual((shown[0], unit, token), (one["name"], f"unit {row}", f"token {step + 1} “{entry['tokens'][step]}”"))

    def test_keys_move_through_a_heat_map_and_choose_a_unit(self):
        page = self.open_page("news.rondo", TEXT)
        canvas = self.heat_map(page, "f")
        canvas.focus()
        page.keyboard.press("Home")
        for key in ["PageUp", "ArrowDown", "ArrowDown", "ArrowRight"]:
            page.keyboard.press(key)
        entry, = self.look("news.rondo", TEXT)
        value = floats(next(one["values"] for one in entry["layers"][0]["series"] if one["name"] == "f"))[1 * 8 + 2]
        spoken = canvas.locator("[role=gridcell]").text_content()
        self.assertIn("unit 2, token 2", spoken)
        self.assertEqual(struct.pack("<f", float(spoken.rsplit(" ", 1)[1])), struct.pack("<f", value))
        self.assertEqual(canvas.get_attribute("aria-activedescendant"), canvas.locator("[role=gridcell]").get_attribute("id"))
        self.assertNotEqual(canvas.evaluate("node => getComputedStyle(node).outlineStyle"), "none")
        expect(page.locator(".cell-mark:visible")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.locator("[data-figure=unit] input[type=number]")).to_have_value("2")
        page.keyboard.press("Escape")
        expect(page.locator(".cell-mark:visible")).to_have_count(0)

    def test_a_click_follows_the_unit_along_the_text(self):
        page = self.open_page("news.rondo", TEXT)
        entry, = self.look("news.rondo", TEXT)
        self.hover(page, self.heat_map(page, "c"), 4, 2, 8, len(entry["tokens"]))
        page.mouse.down()
        page.mouse.up()
        expect(page.locator("[data-figure=unit] input[type=number]")).to_have_value("4")
        page.locator("[data-figure=unit] .numbers summary").click()
        cells = page.locator("[data-figure=unit] .numbers tbody tr").nth(2).locator("td").all_inner_texts()
        heads = page.locator("[data-figure=unit] .numbers thead th").all_inner_texts()[1:]
        for name, shown in zip(heads, cells):
            values = floats(next(one["values"] for one in entry["layers"][0]["series"] if one["name"] == name))
            self.assertEqual(struct.pack("<f", float(shown)), struct.pack("<f", values[2 * 8 + 4]), name)

    def test_layers_are_chosen_by_keys(self):
        page = self.open_page("gru.rondo", TEXT)
        tabs = page.locator("[data-figure=states] [role=radio]")
        self.assertEqual(tabs.all_inner_texts(), ["layer 1 →", "layer 1 ←"])
        tabs.first.focus()
        page.keyboard.press("ArrowRight")
        expect(tabs.nth(1)).to_have_attribute("aria-checked", "true")
        expect(page.locator("[data-figure=unit] .where")).to_contain_text("layer 1 ←")
        self.assertIn("layer 1 ←", self.heat_map(page, "z").get_attribute("aria-label"))

    def test_units_are_found_by_what_they_follow(self):
        page = self.open_page("news.rondo", TEXT)
        entry, = self.look("news.rondo", TEXT)
        search = page.locator("[data-figure=search]")
        search.locator("select").first.select_option("pattern")
        search.locator("input[type=text]").fill("^(goal|chip)$")
        found = search.locator("button.found")
        expect(found).to_have_count(8)
        wanted = [float(token in ("goal", "chip")) for token in entry["tokens"]]
        cell = floats(next(one["values"] for one in entry["layers"][0]["series"] if one["name"] == "c"))
        correlations = sorted(((abs(correlation(wanted, cell[unit::8])), unit) for unit in range(8)), reverse=True)
        self.assertIn(f"unit {correlations[0][1]}", found.first.inner_text())
        self.assertIn(f"{correlations[0][0]:.3f}", found.first.inner_text())
        found.first.click()
        expect(page.locator("[data-figure=unit] input[type=number]")).to_have_value(str(correlations[0][1]))
        search.locator("input[type=text]").fill("(")
        expect(search.locator("[role=status]")).to_contain_text("no regular expression")

    def test_models_and_texts_stand_side_by_side(self):
        page = self.open_page("rnn.rondo", "news.rondo", "gru.rondo", "goal match", "chip")
        self.assertEqual(page.locator("[data-figure=states] h3").all_inner_texts(), ["rnn.rondo", "news.rondo", "gru.rondo"])
        boxes = [one.bounding_box() for one in page.locator("[data-figure=states] .entry").all()]
        self.assertEqual(len({box["y"] for box in boxes}), 1)
        self.assertEqual(len({box["x"] for box in boxes}), 3)
        page.locator(".chips input").nth(3).check()
        self.assertEqual(page.locator("[data-figure=states] .entry").count(), 4)
        expect(page.locator("[data-figure=states] h3").nth(3)).to_contain_text("“chip”")
        expect(page.locator("[data-figure=saturation] .entry").first).to_contain_text("no gates")

    def test_light_and_dark(self):
        for scheme in "light", "dark":
            page = self.open_page("news.rondo", TEXT, color_scheme=scheme)
            state = "[getComputedStyle(document.querySelector('.look')).backgroundColor, document.querySelector('[data-series=c] canvas[role=grid]').toDataURL()]"
            before = page.evaluate(state)
            brightness = sum(int(part) for part in before[0][4:-1].split(","))
            self.assertEqual(brightness > 384, scheme == "light")
            page.click(".theme")
            after = page.evaluate(state)
            self.assertNotEqual(before[0], after[0])
            self.assertNotEqual(before[1], after[1], "maps around zero have another middle")

    def test_texts_are_shown_as_texts(self):
        for model in self.ALL:
            page = self.open_page(model, NASTY)
            self.assertEqual(page.locator("img").count(), 0)
            expect(page.locator(".chips q")).to_contain_text("</script><img src=x")
            self.assertTrue(self.figures(page))

    def test_empty_texts_and_single_tokens_draw_what_there_is(self):
        for model in self.ALL:
            for text in "", "x":
                page = self.open_page(model, text)
                self.assertIn("states", self.figures(page))

    def test_no_sideways_scrolling(self):
        long = " ".join(["goal", "match", "unbelievable" * 5] * 40)
        for width in 1000, 390:
            for model in self.ALL:
                page = self.open_page(model, long, viewport={"width": width, "height": 800})
                self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width, model)


def correlation(a, b):
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    product = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b))
    return product / (sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b)) ** 0.5


if __name__ == "__main__":
    main()
