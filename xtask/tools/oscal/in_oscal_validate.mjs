// Runs oscal-validate over every OSCAL document of a folder. It wants Python 3.12 or newer, so it runs on the Python that the npm
// package `pyodide` carries in WebAssembly, without network.
//
// in_oscal_validate.mjs PACKAGES DOCUMENTS
import { loadPyodide } from "pyodide";

const [packages, documents] = process.argv.slice(2);
const python = await loadPyodide();
for (const [at, root] of [["/packages", packages], ["/documents", documents]]) {
  python.FS.mkdirTree(at);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, at);
}
const bad = await python.runPythonAsync(`
import contextlib, io, json, os, sys
sys.path.insert(0, "/packages")
from oscal_validate.cli import main

KEYS = {"href", "source"}

def named(value):
    """The files that a document names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in KEYS and isinstance(inner, str) and inner.endswith(".json"):
                yield inner
            yield from named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from named(inner)

def reach(name, seen):
    if name not in seen and os.path.exists(f"/documents/{name}"):
        seen.add(name)
        with open(f"/documents/{name}", encoding="utf-8") as file:
            for other in named(json.load(file)):
                reach(other, seen)
    return seen

bad = 0
names = sorted(name for name in os.listdir("/documents") if name.endswith(".json"))
for name in names:
    words = ["--format", "json"]
    for other in sorted(reach(name, set()) - {name}):
        words += ["--resolve", f"/documents/{other}"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main([*words, f"/documents/{name}"])
    findings = json.loads(out.getvalue())["findings"] if out.getvalue() else []
    errors = [each for each in findings if each["severity"] == "ERROR"]
    sound = code == 0 and not errors and findings
    bad += not sound
    print(("sound" if sound else "REFUSED"), name)
    for each in errors:
        print("   ", each["code"], each.get("pointer", ""), each["message"][:300])
    # The version that it compares with, and what it says it does not look at, are known.
    for each in findings:
        if each["severity"] == "WARNING" and each["code"] != "OSCAL_VERSION_DIFFERS":
            print("    warns:", each["code"], each.get("pointer", ""), each["message"][:300])
print(f"oscal-validate: {len(names) - bad} of {len(names)} documents are without errors")
bad
`);
process.exit(bad === 0 ? 0 : 1);
