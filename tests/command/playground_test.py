"""The page of `rondo serve` in headless Chromium: every kind of model as one types, the token, no request elsewhere.

browser.py says what it needs, and skips without.
"""

from browser import PageTest, expect, setUpModule, tearDownModule

import re

from servers import ServeTest
from support import main


expect.set_options(timeout=60000)


class Playground(ServeTest, PageTest):
    def open_page(self, *words, expected_errors=(), **options):
        """The page of a server of all models."""
        self.server = self.serve(*self.ALL, *words)
        address = f"http://{self.server.host}:{self.server.port}/"
        return self.open_address(address, lambda url: url.startswith(address), expected_errors, **options)

    def choose(self, page, name, text):
        option = page.locator("#model option", has_text=re.compile("^" + re.escape(name) + r" \("))
        expect(option).to_have_count(1)  # the page asks the server for its models first
        page.select_option("#model", label=option.inner_text())
        page.fill("#text", text)

    def test_each_kind_of_model_answers_as_one_types(self):
        page = self.open_page()
        self.choose(page, "news", "")
        page.locator("#text").press_sequentially("goal match team", delay=30)
        own = self.server.post("/v1/predict", {"text": "goal match team", "best": 8})[1]["results"][0]["predictions"]
        meters = page.locator("#output [role=meter]")
        expect(meters.first).to_have_attribute("aria-label", "probability of " + own[0]["label"])
        expect(meters.first).to_have_attribute("aria-valuenow", f"{own[0]['probability']:.3f}")
        self.assertEqual(meters.count(), len(own))

        self.choose(page, "names", "Ada met Alan Turing")
        words = page.locator("#output .word")
        expect(words).to_have_count(4)
        tags = self.server.post("/v1/tag", {"text": "Ada met Alan Turing"})[1]["results"][0]["tags"]
        self.assertEqual(page.locator("#output .word small").all_inner_texts(), [tag for tag in tags if tag != "O"])
        self.assertRegex(words.first.get_attribute("title"), tags[0] + r" [01]\.\d{3}")

        self.choose(page, "en-de", "one red dog")
        best = self.server.post("/v1/translate", {"text": "one red dog", "n_best": 3})[1]["results"][0]["translations"][0]
        expect(page.locator("#output li").first).to_contain_text(best["text"])
        expect(page.locator("#output li")).to_have_count(3)

        self.choose(page, "poems", "the ")
        expect(page.locator("#output [role=meter]")).to_have_count(10)
        # The page closes what it opens.
        self.wait_until(lambda: page.wait_for_timeout(1) or self.server.metrics()["rondo_sessions"] == 0)

    def test_a_text_is_written_and_stopped(self):
        page = self.open_page("--max-length", "1000000")
        self.choose(page, "poems", "the ")
        page.click("#write")
        expect(page.locator("#state")).to_have_text(re.compile("200 tokens, ended by length|tokens, ended by end"))
        body = {"prompt": "the ", "length": 200, "temperature": 0.8, "top_k": 0, "seed": 1}
        self.assertEqual(page.locator("#output .written span").text_content(), self.server.post("/v1/generate", body)[1]["text"])
        page.evaluate("document.getElementById('length').max = 1000000")
        page.fill("#length", "1000000")
        page.fill("#top_k", "1")  # always the most probable: no end
        page.click("#write")
        page.click("#stop")
        expect(page.locator("#stop")).to_be_disabled()
        self.wait_until(lambda: page.wait_for_timeout(1) or self.server.metrics()["rondo_generations"] == 0)

    def test_the_figures_of_a_look_follow_what_is_typed(self):
        page = self.open_page(expected_errors=["422"])
        self.choose(page, "news", "goal match")
        self.assertEqual(page.locator("#inside canvas").count(), 0, "nothing is looked into unasked")
        page.check("#look")
        figures = page.locator("#inside [data-figure]")
        expect(page.locator("#inside [data-figure=states] canvas").first).to_be_visible()
        expect(page.locator("#inside [data-figure=connectivity]")).to_be_visible()
        page.locator("#text").press_sequentially(" team", delay=30)
        expect(page.locator("#inside [data-figure=connectivity]")).to_contain_text("team")
        page.uncheck("#gradient")
        expect(page.locator("#inside [data-figure=connectivity]")).to_have_count(0)
        page.check("#gradient")
        for name, text, figure in ("names", "Ada met Alan", "tags"), ("poems", "the ", "alternatives"), ("en-de", "one red dog", "attention"):
            self.choose(page, name, text)
            expect(page.locator(f"#inside [data-figure={figure}]")).to_be_visible()
            self.assertGreater(figures.count(), 3)
        page.fill("#text", "dog " * 1000)
        expect(page.locator("#inside")).to_have_text("text: 4000 bytes, at most 2000 are looked into")
        page.uncheck("#look")
        expect(page.locator("#inside")).to_be_hidden()

    def test_texts_are_shown_as_texts(self):
        page = self.open_page()
        self.choose(page, "names", "<img src=x onerror=alert(1)> <b>Ada</b>")
        expect(page.locator("#output .word")).to_have_count(4)
        self.assertEqual(page.locator("#output img, #output b").count(), 0)
        self.choose(page, "poems", "<b>the ")
        page.click("#write")
        expect(page.locator("#state")).to_have_text(re.compile("tokens"))
        self.assertTrue(page.locator("#output .written").inner_text().startswith("<b>the "))

    def test_a_token_is_asked_for_once(self):
        self.write("token", "geheim\n")
        page = self.open_page("--token-file", "token", expected_errors=["401"])
        self.server.token = "geheim"
        expect(page.locator("#login")).to_be_visible()
        page.fill("#token", "geheim")
        page.keyboard.press("Enter")
        expect(page.locator("#login")).to_be_hidden()
        self.choose(page, "news", "goal")
        expect(page.locator("#output [role=meter]")).to_have_count(3)
        page.reload()
        expect(page.locator("#model option")).to_have_count(4)

    def test_light_and_dark(self):
        colours = []
        for scheme in "light", "dark":
            page = self.open_page(color_scheme=scheme)
            back = "getComputedStyle(document.body).backgroundColor"
            colours.append(page.evaluate(back))
            page.click("#theme")
            self.assertNotEqual(page.evaluate(back), colours[-1])
        self.assertNotEqual(*colours)

    def test_a_narrow_window_needs_no_sideways_scrolling(self):
        page = self.open_page(viewport={"width": 360, "height": 640})
        page.check("#look")
        for name, text, figure in ("news", "goal match", "prediction"), ("names", "Ada met Alan " * 10, "tags"), ("poems", "the " * 30, "alternatives"):
            self.choose(page, name, text)
            expect(page.locator("#state")).to_have_text(re.compile("ms$"))
            expect(page.locator(f"#inside [data-figure={figure}]")).to_be_visible()
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 360, name)


if __name__ == "__main__":
    main()
