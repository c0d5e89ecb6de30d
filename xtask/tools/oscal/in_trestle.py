"""Takes every OSCAL document of a folder into a fresh trestle workspace and validates them there.

in_trestle.py DOCUMENTS WORKSPACE

The documents also lie in the workspace's root, where trestle looks for what they import. One line each, and 1 where any is refused.
"""

import contextlib
import io
import logging
import os
import shutil
import sys
from pathlib import Path

from trestle.cli import Trestle
from trestle.common import log

FOLDERS = {
    "catalog": "catalogs", "profile": "profiles", "mapping-collection": "mapping-collections",
    "component-definition": "component-definitions", "system-security-plan": "system-security-plans",
    "assessment-plan": "assessment-plans", "assessment-results": "assessment-results",
    "plan-of-action-and-milestones": "plan-of-action-and-milestones",
}


def said(words):
    """How a command ended and what it said."""
    sys.argv = ["trestle", *words]
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            log.set_global_logging_levels(logging.INFO)
            code = Trestle().run()
        except SystemExit as end:
            code = end.code
    return code or 0, text.getvalue()


def main():
    documents, workspace = (Path(word).resolve() for word in sys.argv[1:3])
    workspace.mkdir(parents=True)
    os.chdir(workspace)
    code, text = said(["init", "--local"])
    if code:
        sys.exit(f"trestle init: {text}")
    files = sorted(documents.glob("*.json"))
    for file in files:
        shutil.copy(file, workspace)
    bad = 0
    for file in files:
        name = file.stem.replace(".", "-")
        code, text = said(["import", "-f", str(file), "-o", name])
        if code == 0:
            code, text = said(["validate", "-n", name, "-t", model(file)])
        bad += code != 0
        print(f"{'sound' if code == 0 else 'REFUSED'} {file.name}" + ("" if code == 0 else f"\n{text}"))
    print(f"trestle: {len(files) - bad} of {len(files)} documents are sound")
    sys.exit(1 if bad else 0)


def model(file):
    """The model of a document, as trestle names it."""
    import json

    (key,) = [key for key in json.loads(file.read_text()) if key != "$schema"]
    return key


main()
