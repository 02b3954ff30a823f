#!/usr/bin/env python3
"""Makes tests/goldens/translation_metrics.json: what sacrebleu computes, so that the tests need it not.

usage: make_translation_goldens.py [folder]      needs sacrebleu (2.6.0 made what is checked in) and regex
Run it by hand only; the file is checked in, and comes out the same each time. The sentences were written for it.

{"sacrebleu": version, "cases": [{"name", "hypotheses": [n], "references": [n][any number],
                                  "scores": [{"metric", "options", "score", "text", "signature"}]}]}
metric is bleu, chrf or ter; text what sacrebleu prints after " = ", signature what it prints but for the version.
"""
import json
import random
import sys
from pathlib import Path

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER

PAIRS = [
    ("The cat sat on the mat.", ["The cat is sitting on the mat."]),
    ("Two young men play football in the park.", ["Two young men are playing football in a park."]),
    ("It costs $1,234.56 - not 1,300.", ["It costs $1,234.50, not 1,300!"]),
    ("He said: \"I don't know; ask Mary's brother-in-law.\"", ["\"I don't know,\" he said, \"ask Mary's brother in law.\""]),
    ("Der Zug fährt um 7.45 Uhr ab.", ["Der Zug fährt um 7:45 Uhr ab, nicht um 8."]),
    ("Elle n'a pas mangé l'orange « mûre ».", ["Elle n’a pas mangé l’orange « mûre »."]),
    ("a a a a a a a", ["a b a"]),
    ("very very good", ["very good, very very good"]),
    ("", ["Nothing was said here."]),
    ("In 1998-2003 the 5-year plan (see p. 12) failed...", ["In 1998–2003 the five-year plan (p. 12) failed."]),
    ("Temperatures of −5 °C … 20 °C are £3 or 5€ more", ["Temperatures from −5°C to 20 °C cost 3 £ or €5 more."]),
    ("私は 学生です。", ["私は学生です。"]),
    ("Ὀδυσσεὺς εἶδεν τὴν ΘΆΛΑΣΣΑΝ ΚΑΙ ΤΟΥΣ ΦΙΛΟΥΣ", ["Ὀδυσσεὺς εἶδε τὴν θάλασσαν και τους φιλους"]),
    ("İstanbul'da HAVA güzel", ["istanbul'da hava çok güzel"]),
    ("Fish &amp; chips &lt;b&gt; &quot;fresh&quot; <skipped>now", ["Fish & chips <b> \"fresh\" now"]),
    ("well-known e.g. 3.14, 2,718 and .5 or 6.", ["well known, e.g. 3.14; 2,718 and 0.5 or 6 ."]),
    ("yesterday the president of the republic met the farmers", ["the president of the republic met the farmers yesterday"]),
    ("in the garden the children were playing with a red ball", ["the children were playing in the garden with a ball that was red"]),
    ("no overlap whatsoever", ["entirely different words here"]),
    ("Ünïcödé\u00a0space\u2003and\u3000wide", ["Ünïcödé space and wide"]),
    ("I ❤ 🍕 and 10% ✓!", ["I love 🍕 and 10 % ✓ !"]),
    ("(hi) 'quoted' --dash-- a- -b .", ["(hi) 'quoted' -- dash -- a -b."]),
    ("x", ["x"]),
    ("The  double   spaces\tand tabs  ", ["The double spaces and tabs"]),
    ("٣٫٥ and Ⅷ, ½. x¹,y", ["٣٫٥ und Ⅷ ,½ . x¹, y"]),
]
SEVERAL = [
    ("The dog runs across the green field.", ["A dog is running across a green field.", "The dog runs over the grass.",
                                              "The dog runs across the field, which is green."]),
    ("She bought three apples and two pears", ["She bought 3 apples and 2 pears.", "She has bought three apples and two pears.",
                                               "Three apples and two pears were what she bought."]),
    ("", ["Yes.", "", "Yes, of course."]),
    ("one two three four", ["four three two one", "one two three", "one two three four five"]),
    ("Rain is expected in the north tomorrow, rain in the south on Friday.",
     ["Tomorrow rain is expected in the north, and on Friday in the south.", "Rain: north tomorrow; south Friday.",
      "It will rain in the north tomorrow and in the south on Friday."]),
]


def scrambled(seed, length, vocabulary, number):
    """Sentences of repeated words in blocks that moved, for the search of shifts."""
    draw = random.Random(seed)
    words = [f"w{i}" for i in range(vocabulary)]
    pairs = []
    for _ in range(number):
        reference = [draw.choice(words) for _ in range(draw.randrange(1, length))]
        hypothesis = list(reference)
        for _ in range(draw.randrange(4)):
            begin = draw.randrange(len(hypothesis) + 1)
            end = min(len(hypothesis), begin + draw.randrange(1, 14))
            block = hypothesis[begin:end]
            del hypothesis[begin:end]
            target = draw.randrange(len(hypothesis) + 1)
            hypothesis[target:target] = block
        hypothesis = [draw.choice(words) if draw.random() < 0.1 else word for word in hypothesis if draw.random() > 0.08]
        pairs.append((" ".join(hypothesis), [" ".join(reference)]))
    return pairs


CASES = {
    "pairs": PAIRS,
    "several": SEVERAL,
    "varying": [PAIRS[0], SEVERAL[0], (SEVERAL[1][0], SEVERAL[1][1][:2]), PAIRS[3]],
    "short": [("yes", ["yes"]), ("no no", ["no"])],
    "nothing": [("", [""])],
    "silent": [("", ["Some words."]), ("", ["More of them."])],
    "unasked": [("some words", [""]), ("", [""])],
    "no_match": [("alpha beta", ["gamma delta"])],
    "one_gram_only": [("b a d c f e", ["a b c d e f"])],
    "lopsided": [("a b c", ["c b a " + " ".join(f"x{i}" for i in range(160)) + " a b c"]),
                 (" ".join(f"y{i % 7}" for i in range(150)), ["y3 y4 y5"])],
    "shifts": scrambled(1, 30, 40, 40),
    "shifts_of_few_words": scrambled(2, 40, 4, 25),
    "long_shifts": scrambled(3, 160, 300, 8),
} | {f"single_{i}": [pair] for i, pair in enumerate(PAIRS)}

METRICS = [("bleu", BLEU, {"tokenize": tokenizer, "lowercase": lower})
           for tokenizer in ("13a", "none", "char", "intl") for lower in (False, True)]
METRICS += [("chrf", CHRF, {"word_order": order, "lowercase": lower}) for order in (0, 2) for lower in (False, True)]
METRICS += [("ter", TER, {})]


def scores_of(pairs):
    hypotheses = [hypothesis for hypothesis, _ in pairs]
    most = max(len(references) for _, references in pairs)
    columns = [[refs[k] if k < len(refs) else None for _, refs in pairs] for k in range(most)]
    for name, kind, options in METRICS:
        metric = kind(**options)
        score = metric.corpus_score(hypotheses, columns)
        signature = str(metric.get_signature()).rsplit("|version:", 1)[0]
        yield {"metric": name, "options": options, "score": score.score,
               "text": str(score), "signature": signature}


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "tests/goldens")
    cases = [{"name": name, "hypotheses": [hypothesis for hypothesis, _ in pairs],
              "references": [references for _, references in pairs], "scores": list(scores_of(pairs))}
             for name, pairs in CASES.items()]
    golden = {"sacrebleu": sacrebleu.__version__, "cases": cases}
    text = json.dumps(golden, ensure_ascii=False, indent=0, separators=(",", ":"))
    (folder / "translation_metrics.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
