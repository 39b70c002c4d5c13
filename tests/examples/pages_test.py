#!/usr/bin/env python3
"""What the pages of recipes show: pipelines that are valid, verbs and options that exist. Knows Markdown fences, not what the recipes are for.

usage: pages_test.py TROUPE SOURCE_ROOT
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import equal, main

DOCS = os.path.join(os.path.abspath(sys.argv.pop()), "docs")
PAGES = ["cookbook.md", "from-make.md", "from-snakemake.md", "faq.md", "troubleshooting.md", "glossary.md"]
HIDDEN = {"-B", "--jobs", "-h", "-V"}                 # other names, which no help lists
SETTINGS = ('"env"', '"retry"')


def page(name):
    with open(os.path.join(DOCS, name), encoding="utf-8") as file:
        return file.read()


def whole(piece):
    """A pipeline that holds the piece."""
    text = piece.strip().rstrip(",")
    if text.startswith("{"):
        return text
    if text.startswith(SETTINGS):
        return '{"name": "x", "assets": {"a": {"command": "true", ' + text + "}}}"
    if re.match(r'"(engine|defaults|assets|values)"', text):
        return '{"name": "x", ' + text + "}"
    return '{"name": "x", "assets": {' + text + "}}"


def pipelines_are_valid(shop):
    for folder, file in (("photos", "a.jpg"), ("src", "main.c")):
        shop.write(f"{folder}/{file}", "x")
    shop.write("samples.csv", "sample,reads\nliver,reads/liver.txt\n")
    seen = 0
    for name in PAGES:
        for piece in re.findall(r"```jsonc\n(.*?)```", page(name), re.S):
            said = shop.troupe("validate", "-f", "-", "--json", stdin=whole(piece)).json()
            # An asset of another recipe may be named, or left out for brevity.
            mistakes = [one for one in said["errors"] if one["code"] != "unknown_dependency"]
            equal((name, piece[:60], mistakes), (name, piece[:60], []))
            seen += 1
    assert seen >= 10, seen


def verbs_and_options_exist(shop):
    helps, seen = {}, 0
    for name in PAGES:
        for verb, rest in re.findall(r"(?<![\w./])troupe ([a-z][a-z-]*)((?: [^`|\n#;]*)?)", page(name)):
            if verb not in helps:
                helps[verb] = shop.troupe(verb, "--help").must(0).text
            text = helps[verb]
            for sub in rest.split()[:1]:
                if f"\n  {sub} " in text and not sub.startswith("-"):
                    text += shop.troupe(verb, sub, "--help").must(0).text
            for option in re.findall(r"(?<!\S)(--?[a-zA-Z][\w-]*)", rest):
                assert option in HIDDEN or re.search(rf"(?<![\w-]){option}(?![\w-])", text), (name, verb, option)
                seen += 1
    assert seen >= 20, seen


def links_lead_somewhere(shop):
    del shop
    for name in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page(name)):
            if "://" not in target:
                assert os.path.exists(os.path.join(DOCS, target)), (name, target)


TESTS = [pipelines_are_valid, verbs_and_options_exist, links_lead_somewhere]

if __name__ == "__main__":
    sys.exit(main(TESTS, sys.argv[1:]))
