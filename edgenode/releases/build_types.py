"""Makes the shipped type sets from lists of type facts.

``python -m edgenode.releases.build_types FACTS`` reads
``FACTS/open-metadata-types-RELEASE.json`` for each release and writes its type set
into ``data/``. ``shipped_types.py`` reads them and tells their form.
"""

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from edgenode.releases import RELEASES
from edgenode.releases.release import Release
from edgenode.releases.shipped_types import ATTRIBUTE, TYPE, type_set_file

_TIMES = ("createTime", "updateTime")


def build_type_set(facts: dict[str, Any]) -> str:
    """The text of a type set: every fact that isn't the usual one, a line a type."""
    version_name = facts["attributeTypes"][0]["versionName"]
    usual_type = TYPE | {"versionName": version_name}
    lists = {
        "attributeTypes": [
            _unusual(fact, usual_type) for fact in facts["attributeTypes"]
        ]
    }
    for kind in ("entities", "relationships", "classifications"):
        lists[kind] = [_type(fact, usual_type) for fact in facts[kind]]
    heads = [
        f'"origin": {_line(facts["origin"])}',
        f'"versionName": {_line(version_name)}',
    ]
    body = ",\n".join(heads + [_listing(name, rows) for name, rows in lists.items()])
    return f"{{\n{body}\n}}\n"


def _type(fact: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    row = _unusual(fact, usual)
    for name in _TIMES:
        if name in row:
            moment = datetime.fromisoformat(row[name])
            row[name] = round(moment.timestamp() * 1000)
    if "propertiesDefinition" in row:
        row["propertiesDefinition"] = [
            _unusual(attribute, ATTRIBUTE) for attribute in row["propertiesDefinition"]
        ]
    return row


def _unusual(fact: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in fact.items()
        if name not in usual or usual[name] != value
    }


def _listing(name: str, rows: Iterable[dict[str, Any]]) -> str:
    lines = ",\n".join(_line(row) for row in rows)
    return f'"{name}": [\n{lines}\n]'


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def main(folder: Path, releases: Iterable[Release]) -> None:
    """Write the type sets of the releases from the facts in a folder."""
    for release in releases:
        facts = json.loads((folder / release.types_resource).read_text("utf-8"))
        type_set_file(release).write_text(build_type_set(facts), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), RELEASES.values())
