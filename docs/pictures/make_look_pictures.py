#!/usr/bin/env python3
"""The pictures of docs/look.md: trains small models, looks at them, and takes pictures of figures by headless Chromium.

    RONDO_DATA=../shared/data docs/pictures/make_look_pictures.py build/release/rondo [FOLDER]

Models are kept in FOLDER (build/look-pictures) and not trained again. Needs playwright (PyPI) and Debian's chromium.
"""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ.get("RONDO_DATA") or sys.exit("RONDO_DATA is missing: the folder that holds tinyshakespeare and ag_news")
CHROMIUM = os.environ.get("RONDO_CHROMIUM") or shutil.which("chromium")
POEM = "Shall I compare thee to a summer's day?"
NEWS = ("The minister said on Monday that the government will not sign the treaty before the vote , while shares of the two "
        "largest software makers rose after their talks in Geneva")


def train(command, folder):
    def run(name, *words):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            subprocess.run([command, "train", *words, "-o", path], check=True)

    run("shakespeare.rondo", "lm", "-i", os.path.join(DATA, "tinyshakespeare/input.txt"), "--tokenizer", "characters", "--hidden", "64",
        "--embedding", "16", "--lr", "0.005", "--batch", "32", "--after", "3000u")
    for cell in "rnn", "lstm", "gru":
        run(cell + ".rondo", "classify", "-i", os.path.join(DATA, "ag_news/train_raw_subset.csv"), "--cell", cell, "--hidden", "32",
            "--embedding", "32", "--no-bidirectional", "--pool", "final", "--after", "2e")


def picture(browser, page_path, figure, name, width, before=None):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto("file://" + os.path.abspath(page_path))
    if before:
        before(page)
    page.wait_for_timeout(500)
    page.locator(f"[data-figure={figure}]").screenshot(path=os.path.join(HERE, name))
    print(name, os.path.getsize(os.path.join(HERE, name)))


def four_maps(page):
    """i, f, c and h: all six would be a large picture."""
    page.locator("[data-figure=states] select").select_option("similar")
    page.add_style_tag(content="[data-series=o], [data-series=g] { display: none }")


def main():
    command, folder = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, "../../build/look-pictures")
    os.makedirs(folder, exist_ok=True)
    train(command, folder)

    def look(name, *words):
        path = os.path.join(folder, name)
        subprocess.run([command, "look", *words, "-o", path], check=True)
        return path

    poem = look("poem.html", os.path.join(folder, "shakespeare.rondo"), POEM)
    news = look("news.html", *(os.path.join(folder, cell + ".rondo") for cell in ("rnn", "lstm", "gru")), NEWS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        picture(browser, poem, "states", "look-states.png", 860, four_maps)
        picture(browser, news, "gradient", "look-gradient.png", 1000)
        picture(browser, poem, "search", "look-search.png", 1000,
                lambda page: page.locator("[data-figure=search] select").first.select_option("start of a word"))
        browser.close()


if __name__ == "__main__":
    main()
