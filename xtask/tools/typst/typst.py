"""`typst compile` with the flags that quorate-assessor gives, over the pinned Python package that carries the compiler."""

import argparse
import sys

import typst


def main() -> int:
    parser = argparse.ArgumentParser(prog="typst")
    parser.add_argument("command", choices=["compile"])
    parser.add_argument("--root", required=True)
    parser.add_argument("--ignore-system-fonts", action="store_true")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--format", default="pdf")
    parser.add_argument("--pdf-standard", action="append", default=[])
    parser.add_argument("--creation-timestamp", type=int)
    parser.add_argument("--package-path")
    parser.add_argument("--package-cache-path")
    parser.add_argument("--ppi", type=float)
    parser.add_argument("input")
    parser.add_argument("output")
    asked = parser.parse_args()
    try:
        typst.compile(
            asked.input,
            output=asked.output,
            root=asked.root,
            ignore_system_fonts=asked.ignore_system_fonts,
            format=asked.format,
            ppi=asked.ppi,
            pdf_standards=asked.pdf_standard,
            package_path=asked.package_path,
            package_cache_path=asked.package_cache_path,
            timestamp=asked.creation_timestamp,
        )
    except Exception as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
