"""rondo data fashion-scenes, train caption, caption and evaluate as people run them, on a made-up dataset."""

import gzip
import json
import os
import random
import shlex
import struct
import zlib

from support import CommandTest, main


def png(side, pixels):
    """A grey PNG."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(pixels[side * y:side * (y + 1)]) for y in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def article(label, rng):
    """28x28 pixels that a child tells apart: bars and blocks of a brightness of their own."""
    pixels = []
    for y in range(28):
        for x in range(28):
            inside = {1: 10 <= x < 18, 5: y >= 20, 8: 4 <= x < 24 and 8 <= y < 20, 9: x < 8 or y >= 20}.get(label, True)
            pixels.append(min(255, max(0, 60 + 20 * label + rng.randint(-10, 10))) if inside else 0)
    return bytes(pixels)


class CaptionTest(CommandTest):
    TINY = ["--grey", "--image-size", "32", "--filters", "4", "--embedding", "16", "--hidden", "32", "--lr", "0.005",
            "--after", "2e", "--batch", "32", "-t", "1"]

    def write_dataset(self):
        rng = random.Random(1)
        os.makedirs(self.path("dataset"))
        for part, count in (("train", 200), ("t10k", 100)):
            labels = bytes(i // 10 % 10 for i in range(count))
            pixels = b"".join(article(label, rng) for label in labels)
            for name, bytes_ in ((f"{part}-images-idx3-ubyte", struct.pack(">IIII", 2051, count, 28, 28) + pixels),
                                 (f"{part}-labels-idx1-ubyte", struct.pack(">II", 2049, count) + labels)):
                self.write(f"dataset/{name}.gz", gzip.compress(bytes_))

    def scenes(self):
        self.write_dataset()
        return self.succeed("data", "fashion-scenes", "-o", "scenes", "--train", "120", "--dev", "20", "--test", "20",
                            "--dataset", "dataset")

    def train_captioner(self, *words, output="m.rondo"):
        return self.succeed("train", "caption", "--images", "scenes/images", "--captions", "scenes/train.jsonl",
                            "--dev-captions", "scenes/dev.jsonl", "-o", output, *self.TINY, *words)

    def test_scenes_are_written_trained_captioned_and_measured(self):
        told = self.scenes()
        self.assertEqual(told, "scenes/train.jsonl\t120 scenes\nscenes/dev.jsonl\t20 scenes\n"
                               "scenes/test.jsonl\t20 scenes\n")
        self.assertEqual(len(os.listdir(self.path("scenes/images"))), 160)
        self.train_captioner()
        pictures = [f"scenes/images/test-00000{i}.png" for i in range(3)]
        lines = self.succeed("caption", "m.rondo", *pictures).splitlines()
        self.assertEqual([line.split("\t")[0] for line in lines], pictures)
        alone = self.succeed("caption", "m.rondo", pictures[1])
        self.assertEqual(alone, lines[1].split("\t")[1] + "\n")
        best = self.succeed("caption", "m.rondo", pictures[1], "--n-best", "2", "--beam", "4").splitlines()
        self.assertEqual(len(best), 2)
        self.assertEqual(len(best[0].split("\t")), 2)
        figures = json.loads(self.succeed("evaluate", "m.rondo", "scenes/test.jsonl", "--images", "scenes/images",
                                          "--json", "--output", "out.tsv", "--beam", "2"))
        self.assertEqual(figures["pictures"], 20)
        self.assertGreater(figures["bleu1"], figures["bleu4"])
        self.assertGreater(figures["article_words"], 0)
        self.assertLessEqual(figures["on_article"], 1)
        self.assertEqual(len(self.read("out.tsv").decode().splitlines()), 20)
        info = self.succeed("info", "m.rondo")
        self.assertIn("captioner", info)
        self.assertIn("alpha = softmax_i(v tanh(W_a a_i + W_h h + b))", info)

    def test_the_page_holds_everything(self):
        self.scenes()
        self.train_captioner()
        told = self.run_command("caption", "m.rondo", "scenes/images/test-000000.png", "--attention", "page.html")
        self.assertEqual(told.returncode, 0, told.stderr)
        page = self.read("page.html").decode()
        words = told.stdout.decode().split()
        self.assertGreaterEqual(page.count("data:image/png;base64,"), len(words) + 1)
        self.assertNotIn("http", page)
        shown = json.loads(self.succeed("caption", "m.rondo", "scenes/images/test-000000.png", "--json"))
        for row in shown["captions"][0]["attention"]:
            self.assertEqual(len(row), 16)
            self.assertAlmostEqual(sum(row), 1, places=4)

    def test_the_examples_of_the_help_run(self):
        self.write_dataset()
        tiny = [*self.TINY, "--force", "--after", "1e"]
        del tiny[tiny.index("--grey")]
        for verb in (["data", "fashion-scenes"], ["train", "caption"], ["caption"], ["evaluate"]):
            text = self.succeed(*verb, "--help").replace("\\\n", " ")
            examples = [shlex.split(line)[1:] for line in text.splitlines() if line.startswith("  rondo ")]
            self.assertTrue(examples)
            for words in examples:
                if verb == ["evaluate"] and "scenes.rondo" not in words:
                    continue  # runs in usage_test.py
                if "recipes/papers/fashion-scenes.toml" in words or "sections.tsv" in words or words[0] != verb[0]:
                    continue
                with self.subTest(" ".join(words)):
                    self.run_example(words, tiny)

    def run_example(self, words, tiny):
        if words[0] == "data":
            sizes = [] if "--train" in words else ["--train", "60", "--dev", "20", "--test", "20"]
            self.succeed(*words, "--dataset", "dataset", *sizes)
            self.write_pictures()
        elif words[0] == "train":
            given = "--features" in words
            drop = ("--image-size", "--filters")
            kept = [w for i, w in enumerate(tiny) if not given or (w not in drop and tiny[i - 1] not in drop)]
            self.succeed(*words, *[w for w in kept if w not in ("--grey",)])
            if given:
                self.write("vgg-captions.rondo", self.read("captions.rondo"))
                self.succeed("train", "caption", "--images", "images", "--captions", "captions.csv", "-o",
                             "captions.rondo", *tiny)
        else:
            files = [w for word in words for w in (["a.jpg", "b.jpg"] if word == "*.jpg" else [word])]
            self.succeed(*files)

    def write_pictures(self):
        """What the examples call images/, captions.csv, a.jpg and the like, out of scenes/."""
        if os.path.exists(self.path("images")):
            return
        os.makedirs(self.path("images"))
        rows = ["image,caption"]
        for i in range(20):
            name = f"test-{i:06}.png"
            self.write("images/" + name, self.read("scenes/images/" + name))
            rows += [f"{name},a bag above a boot", f"{name},a shirt left of a bag"]
        self.write("captions.csv", "\n".join(rows) + "\n")
        for name in ("picture.jpg", "a.jpg", "b.jpg", "b.png"):
            self.write(name, self.read("images/test-000000.png"))  # known by its first bytes, not by its name
        self.write_features("vgg.safetensors", 20)

    def write_features(self, name, images, regions=4, size=6):
        count = images * regions * size
        numbers = struct.pack(f"<{count}f", *[i % 7 / 7 for i in range(count)])
        header = json.dumps({"features": {"dtype": "F32", "shape": [images, regions, size],
                                          "data_offsets": [0, len(numbers)]}}).encode()
        self.write(name, struct.pack("<Q", len(header)) + header + numbers)

    def test_features_of_another_size_are_refused(self):
        self.write_dataset()
        self.run_example(["data", "fashion-scenes", "-o", "scenes"], [])
        self.succeed("train", "caption", "--features", "vgg.safetensors", "--captions", "captions.csv", "-o", "v.rondo",
                     "--hidden", "8", "--embedding", "8", "--after", "1e")
        self.write_features("other.safetensors", 20, size=5)
        self.assertIn("the model reads 4 of 6", self.refuse(3, "caption", "v.rondo", "--features", "other.safetensors"))
        self.assertIn("the model reads 4 of 6", self.refuse(3, "evaluate", "v.rondo", "captions.csv", "--features",
                                                            "other.safetensors"))
        self.assertIn("not pictures", self.refuse(2, "caption", "v.rondo", "a.jpg"))
        self.write_features("few.safetensors", 7)
        self.assertIn("features of 7 pictures", self.refuse(3, "evaluate", "v.rondo", "captions.csv", "--features",
                                                            "few.safetensors"))

    def test_every_attention_trains(self):
        self.scenes()
        for kind in ("hard", "none"):
            self.train_captioner("--attention", kind, "--log", kind + ".log", output=kind + ".rondo")
            self.succeed("caption", kind + ".rondo", "scenes/images/test-000000.png")
        self.assertIn("trained with --attention none",
                      self.refuse(2, "caption", "none.rondo", "scenes/images/test-000000.png", "--attention", "p.html"))

    def test_threads_change_no_byte(self):
        self.scenes()
        self.train_captioner(output="a.rondo")
        self.train_captioner("-t", "3", output="b.rondo")
        self.assertEqual(self.sha256("a.rondo"), self.sha256("b.rondo"))

    def test_bad_input_is_told(self):
        self.assertIn("apt-get install dataset-fashion-mnist",
                      self.refuse(3, "data", "fashion-scenes", "-o", "x", "--dataset", "nowhere"))
        self.scenes()
        self.assertIn("there already", self.refuse(2, "data", "fashion-scenes", "-o", "scenes", "--dataset", "dataset"))
        self.train_captioner()
        picture = "scenes/images/test-000000.png"
        self.write("cut.png", self.read(picture)[:-40])
        self.write("empty.jpg", b"")
        self.write("text.png", "a picture of a text")
        told = self.run_command("caption", "m.rondo", picture, "cut.png")
        self.assertEqual(told.returncode, 3)
        self.assertTrue(told.stdout.decode().startswith(picture + "\t"))  # what came before is not lost
        self.assertIn("cut.png: a broken PNG", told.stderr.decode())
        self.assertIn("empty.jpg: an empty file", self.refuse(3, "caption", "m.rondo", "empty.jpg"))
        self.assertIn("no JPEG and no PNG", self.refuse(3, "caption", "m.rondo", "text.png"))
        self.refuse(1, "caption", "m.rondo", "missing.png")
        self.assertIn("no picture", self.refuse(2, "caption", "m.rondo"))
        self.assertIn("would be overwritten", self.refuse(2, "caption", "m.rondo", picture, "--attention", picture))
        self.assertIn("would be overwritten", self.refuse(2, "caption", "m.rondo", picture, "--attention", "./m.rondo"))
        self.assertIn("would be overwritten",
                      self.refuse(2, "evaluate", "m.rondo", "scenes/dev.jsonl", "--images", "scenes/images", "--output", "m.rondo"))
        self.assertIn("would be overwritten",
                      self.refuse(2, "evaluate", "m.rondo", "scenes/test.jsonl", "--images", "scenes/images", "--output", picture))
        self.assertIn("would be overwritten; give another --report",
                      self.refuse(2, "train", "caption", "--images", "scenes/images", "--captions", "scenes/train.jsonl", "-o", "n",
                                  "--force", "--report", "scenes/images/train-000000.png"))
        self.assertIn("reads pictures", self.refuse(2, "evaluate", "m.rondo", "scenes/dev.jsonl", "--images", "scenes/images",
                                                    "--features", "f.safetensors"))
        self.assertIn("captioners run in f32 or bf16",
                      self.refuse(2, "train", "caption", "--images", "scenes/images", "--captions", "scenes/train.jsonl", "-o", "n",
                                  "--precision", "int8"))
        self.write("c.csv", "image,caption\nmissing.png,a bag\n")
        self.assertIn("c.csv:2: no picture 'missing.png'",
                      self.refuse(3, "train", "caption", "--images", "scenes/images", "--captions", "scenes/train.jsonl",
                                  "--dev-captions", "c.csv", "-o", "n"))
        self.write("known.csv", "image,caption\ntrain-000000.png,a bag\ntrain-000001.png,a boot\n")
        self.assertIn("c.csv:2: no picture 'missing.png'",
                      self.refuse(3, "train", "caption", "--images", "scenes/images", "--captions", "c.csv",
                                  "--dev-captions", "scenes/dev.jsonl", "-o", "n"))
        self.assertIn("c.csv:2: no picture",
                      self.refuse(3, "evaluate", "m.rondo", "c.csv", "--images", "scenes/images"))
        self.assertIn("--taught-attention needs",
                      self.refuse(3, "train", "caption", "--images", "scenes/images", "--captions", "known.csv", "--taught-attention", "1", "--min-count", "1",
                                  "--dev-captions", "scenes/dev.jsonl", "-o", "n"))
        self.assertIn("--taught-attention", self.refuse(2, "train", "caption", "--images", "scenes/images", "--captions",
                                                        "scenes/train.jsonl", "--attention", "none", "--taught-attention", "1", "-o", "n"))
        self.assertIn("--images is missing", self.refuse(2, "evaluate", "m.rondo", "scenes/test.jsonl"))
        self.assertIn("--source", self.refuse(2, "evaluate", "m.rondo", "scenes/test.jsonl", "--source", "x"))
        self.train("news.rondo")
        self.assertIn("it holds a classifier", self.refuse(3, "caption", "news.rondo", picture))
        for words in (["predict", "m.rondo", "some text"], ["look", "m.rondo", "some text", "-o", "page.html"],
                      ["unroll", "m.rondo", "some text"], ["quantize", "m.rondo", "-o", "small.rondo", "--dev", "train.csv"],
                      ["doctor", "train.csv", "train.csv", "m.rondo"], ["serve", "m.rondo", "--port", "0"]):
            self.assertIn("rondo caption and rondo evaluate take it", self.refuse(3, *words))
        self.assertIn("--images", self.refuse(2, "evaluate", "news.rondo", "train.csv", "--images", "x"))

    def test_boxes_are_pixels_of_the_file(self):
        os.makedirs(self.path("images"))
        for name in ("a.png", "b.png"):
            self.write("images/" + name, png(300, [i % 251 for i in range(300 * 300)]))

        def train(x):
            lines = [{"image": name, "caption": "a bag", "articles": [{"name": "bag", "box": [x, 250, 28, 28]}]}
                     for name in ("a.png", "b.png")]
            self.write("c.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
            return ["train", "caption", "--images", "images", "--captions", "c.jsonl", "--dev-captions", "c.jsonl", "-o", "m.rondo",
                    "--taught-attention", "1", "--min-count", "1", "--force", *self.TINY]

        self.assertIn("c.jsonl:1: the box of 'bag' leaves the picture 'a.png' of 300 x 300 pixels", self.refuse(3, *train(280)))
        self.succeed(*train(250))
        figures = json.loads(self.succeed("evaluate", "m.rondo", "c.jsonl", "--images", "images", "--json"))
        self.assertLessEqual(figures["on_article"], 1)
        self.assertIn("article_words", figures)

    def test_one_pixel_and_colours_are_captioned(self):
        self.scenes()
        self.train_captioner()
        self.write("dot.png", png(1, [200]))
        self.write("wide.png", png(300, [i % 251 for i in range(300 * 300)]))
        self.assertEqual(len(self.succeed("caption", "m.rondo", "dot.png", "wide.png").splitlines()), 2)


if __name__ == "__main__":
    main()
