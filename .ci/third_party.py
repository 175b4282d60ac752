"""Prints THIRD-PARTY.md: every jar of the class path, with the licence that the bill of materials gives.

third_party.py SBOM LIB: SBOM is CycloneDX in JSON, LIB the folder of jars. A jar that the bill lacks, an entry without its jar and
a jar whose licence nobody knows are errors.
"""

import json
import pathlib
import sys
import urllib.parse
import zipfile

OURS = "dev.nibble"

# Licences of groups whose poms name none, or one that is not clear, each looked up in the project's own licence file. JLine's poms say
# "The BSD License", which the bill takes for the one of four clauses; its file has three.
LOOKED_UP = {"org.jline": ["BSD-3-Clause"]}

# Names that poms use for the same licence.
SAME = {"LGPL, version 2.1": "LGPL-2.1-or-later"}

# Libraries in machine code of other projects, which jars bring along. Of the GCC runtime the exception applies: programs that use
# it may have any licence.
GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"
NATIVE = {
    "libdnnl.so": ("oneDNN", "Apache-2.0"),
    "libnd4jcpu.so": ("Deeplearning4j", "Apache-2.0"),
    "libopenblas.so": ("OpenBLAS", "BSD-3-Clause"),
    "libarrow_": ("Apache Arrow", "Apache-2.0; what it includes is in the jar's META-INF/LICENSE"),
    "arrow_": ("Apache Arrow", "Apache-2.0; what it includes is in the jar's META-INF/LICENSE"),
    "libtokenizers.": ("Hugging Face tokenizers", "Apache-2.0"),
    "tokenizers.dll": ("Hugging Face tokenizers", "Apache-2.0"),
    "libzstd-jni": ("Zstandard", "BSD-3-Clause or GPL-2.0-only"),
    "libgomp.so": ("GCC", GCC),
    "libgfortran.so": ("GCC", GCC),
    "libgcc_s": ("GCC", GCC),
    "libstdc++-6.dll": ("GCC", GCC),
    "libquadmath.so": ("GCC", "LGPL-2.1-or-later"),
    "libwinpthread-1.dll": ("mingw-w64", "MIT and BSD-3-Clause"),
}

# What a jar's own project compiled of its own sources: the jar's licence holds.
OWN = ("libjni", "jni", "libjline", "jline", "libjansi", "jansi")


def licence(component):
    names = []
    for entry in component.get("licenses", []):
        if "expression" in entry:
            names.append(entry["expression"])
        else:
            names.append(entry["license"].get("id") or entry["license"]["name"])
    names = LOOKED_UP.get(component["group"], [SAME.get(name, name) for name in names])
    return " or ".join(dict.fromkeys(names))


def file_name(component):
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(component["purl"]).query)
    classifier = query.get("classifier", [""])[0]
    return component["name"] + "-" + component["version"] + ("-" + classifier if classifier else "") + ".jar"


def natives(lib, jars):
    """Lines on libraries in machine code, and errors."""
    found = {}
    errors = []
    for jar in jars:
        with zipfile.ZipFile(lib / jar) as archive:
            for name in archive.namelist():
                base = name.rsplit("/", 1)[-1]
                if not (".so" in base or base.endswith((".dylib", ".jnilib", ".dll"))) or base.startswith(OWN):
                    continue
                known = [entry for entry in NATIVE if base.startswith(entry)]
                if known:
                    found.setdefault((*NATIVE[known[0]], jar), set()).add(base)
                else:
                    errors.append(f"{jar} holds {base}, of which no licence is known")
    used = {entry[:2] for entry in found}
    errors += [f"no jar holds anything of {project} ({name}) any more" for project, name in NATIVE.values() if (project, name) not in used]
    lines = [f"| {', '.join(sorted(files))} | {jar} | {project} | {name} |" for (project, name, jar), files in sorted(found.items())]
    return lines, errors


def main(sbom, lib):
    lib = pathlib.Path(lib)
    components = json.loads(pathlib.Path(sbom).read_text())["components"]
    by_file = {file_name(c): c for c in components if c.get("group") != OURS}
    jars = sorted(j.name for j in lib.glob("*.jar") if not j.name.startswith("nibble-"))
    errors = [f"{jar}: not in the bill of materials" for jar in jars if jar not in by_file]
    errors += [f"{file}: in the bill of materials, and not shipped" for file in by_file if file not in jars]
    errors += [f"{file}: no licence is known" for file, c in by_file.items() if not licence(c)]
    native, wrong = natives(lib, jars)
    errors += wrong
    if errors:
        sys.exit("\n".join(sorted(errors)))
    print(
        f"""# Third-party software

Nibble is licensed under [Apache-2.0](LICENSE). These {len(jars)} jars of others are on its class path, with the licences that their
projects declare; "or" leaves the choice. `.ci/sbom --write` writes this page and `.ci/sbom` says whether it is current. The same list in CycloneDX's
form: `mvn -Psbom -DskipTests package` writes `cli/target/nibble.cdx.json`.

| jar | licence |
|---|---|"""
    )
    for jar in jars:
        print(f"| {by_file[jar]['group']}: {jar.removesuffix('.jar')} | {licence(by_file[jar])} |")
    if native:
        print(
            """
Some jars hold libraries in machine code of other projects:

| library | in | of | licence |
|---|---|---|---|"""
        )
        print("\n".join(native))


main(*sys.argv[1:])
