#!/usr/bin/env python3
"""The JSON Schema of protocol files: it is what the readers ask, every key has a sentence, and it takes and refuses what it should.

    schema_check.py --binary build/release/equipoise

1. `equipoise schema` is `equipoise schema --derive`, byte for byte: the committed file has not drifted from the readers.
2. Every key has a description, and every sentence of schema_words.cpp belongs to a key.
3. Each protocol of the examples, the templates and the tests validates (python3-jsonschema; skipped with a line without it).
4. Protocols broken in one key, which `check` refuses for their structure, are refused by the schema too; in scenarios, whose keys depend on
   their model and on what they extend, it is allowed to take them.
"""
import argparse
import copy
import datetime
import glob
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

root = pathlib.Path(__file__).resolve().parent.parent


def undescribed(schema, path, missing):
    for one in [schema, *schema.get("anyOf", [])]:
        inside = [(f"{path}/{key}", value) for key, value in {**one.get("properties", {}), **one.get("patternProperties", {})}.items()]
        if isinstance(one.get("additionalProperties"), dict):
            inside.append((path + "/*", one["additionalProperties"]))
        for name, value in inside:
            if "description" not in value:
                missing.append(name)
            undescribed(value, name, missing)
        if isinstance(one.get("items"), dict):
            undescribed(one["items"], path + "/[]", missing)
    return missing


def plain(value):
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(toml(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {toml(one)}" for key, one in value.items()) + " }"
    return repr(value)


def document(value):
    return "".join(f"{key} = {toml(one)}\n" for key, one in value.items())


def broken(value, path=()):
    """Copies of a document with one key misspelt, one value of another type, or one key gone, with the path of what was done."""
    def tables(node, here):
        if isinstance(node, dict):
            yield here, node
            for key, one in node.items():
                yield from tables(one, (*here, key))
        elif isinstance(node, list):
            for i, one in enumerate(node):
                yield from tables(one, (*here, i))

    for here, table in list(tables(value, ())):
        for key in table:
            for how in ("misspelt", "of another type", "gone"):
                made = copy.deepcopy(value)
                inside = made
                for step in here:
                    inside = inside[step]
                if how == "misspelt":
                    inside[key + "x"] = inside.pop(key)
                elif how == "gone":
                    del inside[key]
                else:
                    inside[key] = 3.25 if not isinstance(inside[key], (int, float)) or isinstance(inside[key], bool) else {"a": [True]}
                yield "/".join(map(str, (*here, key))), how, made


names = re.compile(r"^(form/[^/]+(/(?!label)[^/]+)?|(derivation|analysis_set)/[^/]+|.*/(ratio|codes|weights|caps|first)/[^/]+)$")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--every", type=int, default=9, help="of the broken protocols, every so many")
    arguments = parser.parse_args()
    wrong = []
    run = lambda *words: subprocess.run([arguments.binary, *words], capture_output=True, text=True, check=False)
    text = run("schema").stdout
    if run("schema", "--derive").stdout != text:
        wrong.append("schema/protocol.schema.json is not what the readers ask: equipoise schema --derive > schema/protocol.schema.json, and build again")
    schema = json.loads(text)
    wrong += [f"no sentence for {path}" for path in undescribed(schema, "", [])]
    for path, sentence in re.findall(r'\{"([^"]+)",\s*"((?:[^"\\]|\\.)*)"\}', (root / "equipoise/cli/schema_words.cpp").read_text()):
        if json.dumps(sentence, ensure_ascii=False) not in text:
            wrong.append(f"no key for the sentence of {path}")
    try:
        import jsonschema
    except ImportError:
        print("\n".join(wrong) or "the schema is what the readers ask")
        print("not validated: no python3-jsonschema")
        return 1 if wrong else 77
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    files = [*glob.glob("examples/**/*.toml", root_dir=root, recursive=True), *glob.glob("equipoise/cli/**/*.toml", root_dir=root, recursive=True),
             *glob.glob("tests/[!f]*/**/*.toml", root_dir=root, recursive=True)]
    protocols = {}
    for name in sorted(files):
        read = plain(tomllib.loads((root / name).read_text()))
        if "trial" in read and "format" in read:
            protocols[name] = read
    for name, read in protocols.items():
        for error in list(validator.iter_errors(read))[:3]:
            wrong.append(f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")

    structure = {"unknown_key", "wrong_type", "missing_key", "unknown_keyword"}
    refused = taken = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ("examples/msc-inr/protocol.toml", "equipoise/cli/templates/time-to-event.toml", "examples/cgd/protocol.toml"):
            for i, (path, how, made) in enumerate(broken(protocols[name])):
                if i % arguments.every or path.startswith("scenario/"):
                    continue
                if how == "misspelt" and names.search(path):
                    continue  # a name that somebody chose: no schema knows it
                file = pathlib.Path(folder) / "p.toml"
                file.write_text(document(made))
                checked = run("check", str(file), "--json")
                if checked.returncode == 0:
                    if how == "misspelt" and next(validator.iter_errors(made), None):
                        wrong.append(f"{name}: {path} {how}: check takes it and the schema does not")
                    continue
                if checked.returncode != 3:
                    wrong.append(f"{name}: {path} {how}: check ends with {checked.returncode}")
                    continue
                codes = {problem["code"] for problem in json.loads(checked.stdout)["problems"]}
                if how != "misspelt" and not codes & {"wrong_type"}:
                    continue  # a reference, a rule: no schema can say it
                if how == "misspelt" and not codes & structure:
                    continue
                if next(validator.iter_errors(made), None):
                    refused += 1
                else:
                    taken += 1
                    wrong.append(f"{name}: {path} {how}: check refuses it ({', '.join(sorted(codes))}) and the schema takes it")
    print("\n".join(wrong))
    print(f"{len(protocols)} protocols validate; of {refused + taken} that check refuses for their structure the schema refuses {refused}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
