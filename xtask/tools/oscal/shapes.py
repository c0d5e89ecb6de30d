"""Writes NIST's OSCAL JSON schema as a table of shapes, one line each, for `crates/assessor/src/oscal/shapes.txt`.

shapes.py COMPLETE_SCHEMA_JSON

A field is `name`, then `!` where it is required, then `*` for a list, `?` for one or a list, then `:` and its kind. A shape
with several lines may look like any of them. Made from 1.2.3; from 1.1.2 on fields were only added. What the JSON schema lost
and the metaschema still asks stands in MENDED.
"""

import json
import sys

TYPES = {
    "Base64": "base64", "Boolean": "bool", "Date": "date", "DateTimeWithTimezone": "time", "Decimal": "decimal",
    "EmailAddress": "email", "Integer": "integer", "MarkupLine": "line", "MarkupMultiline": "text",
    "NonNegativeInteger": "natural", "PositiveInteger": "positive", "String": "string", "Token": "token", "URI": "uri",
    "URIReference": "reference", "UUID": "uuid",
}
TYPES = {f"{name}Datatype": kind for name, kind in TYPES.items()}
MENDED = {
    "metadata/metadata/parties uuid": "!", "metadata/metadata/parties type": "!", "control-common/parameter id": "!",
    "profile/modify/set-parameters param-id": "!", "profile/import href": "!", "profile/modify/alters/removes by-ns": "string",
    "assessment-common/assessment-subject type": "!",
}
MORE = {
    "profile/merge/combine": " method:=use-first|merge|keep",
    "mapping-common/confidence-score": "\nmapping-common/confidence-score category:string percentage:decimal",
}
schema = json.load(open(sys.argv[1], encoding="utf-8"))
definitions = schema["definitions"]
rows = []
done = set()
queue = []


def short(reference):
    return reference.split("/")[-1].split(":")[-1]


def named(reference):
    """The kind that a reference names; a shape is queued."""
    key = reference.split("/")[-1]
    if key in TYPES:
        return TYPES[key]
    target = definitions[key]
    if "properties" not in target and not is_shape(target):
        return kind(short(reference), target)
    name = key.split("oscal-")[-1].replace(":", "/")
    if key not in done:
        done.add(key)
        queue.append((name, target))
    return name


def is_shape(target):
    return target.get("type") == "object" or any("properties" in each for each in target.get("anyOf", []))


def kind(name, target):
    if "$ref" in target:
        return named(target["$ref"])
    if "allOf" in target:
        closed = [each["enum"] for each in target["allOf"] if "enum" in each]
        return "=" + "|".join(closed[0]) if closed else named(target["allOf"][0]["$ref"])
    if is_shape(target):
        if name not in done:
            done.add(name)
            queue.append((name, target))
        return name
    if "anyOf" in target:
        return named(target["anyOf"][0]["$ref"])
    if "enum" in target:
        return "=" + "|".join(target["enum"])
    return {"string": "string", "number": "decimal", "integer": "integer", "boolean": "bool"}[target["type"]]


def field(shape, name, target, required):
    mended = MENDED.get(f"{shape} {name}", "")
    mark = "!" if name in required or mended == "!" else ""
    if mended not in ("", "!"):
        return f"{name}{mark}:{mended}"
    if target.get("type") == "array":
        return f"{name}{mark}*:{kind(f'{shape}/{name}', target['items'])}"
    several = [each for each in target.get("anyOf", []) if each.get("type") == "array"]
    if several:
        return f"{name}{mark}?:{kind(f'{shape}/{name}', several[0]['items'])}"
    return f"{name}{mark}:{kind(f'{shape}/{name}', target)}"


def shape(name, target):
    for one in [each for each in target.get("anyOf", []) if "properties" in each] or [target]:
        required = {*one.get("required", []), *target.get("required", [])}
        open_ended = "" if one.get("additionalProperties") is False else " ..."
        fields = [field(name, each, what, required) for each, what in sorted(one.get("properties", {}).items())]
        rows.append(" ".join([name, *fields]) + open_ended)
    rows[-1] += MORE.get(name, "")


for root in schema["oneOf"]:
    (model,) = [name for name in root["properties"] if name != "$schema"]
    rows.append(f"# {model} {named(root['properties'][model]['$ref'])}")
while queue:
    shape(*queue.pop(0))
print("\n".join(rows))
