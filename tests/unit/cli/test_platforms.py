"""What the command about the cohort of platforms says of types."""

from edgenode.cli.platforms import type_lines


def conflict(member: str, name: str) -> dict[str, str]:
    return {"name": member, "metadataCollectionId": f"{member}-id", "typeDefName": name}


def test_some_types_in_conflict_are_named() -> None:
    conflicts = [conflict("hub", f"T{number}") for number in range(7)]
    assert list(type_lines([*conflicts, conflict("", "Pump")])) == [
        "hub has types otherwise than this server: T0, T1, T2, T3, T4 and 2 more; "
        "--json says why",
        "-id has types otherwise than this server: Pump; --json says why",
    ]
    assert list(type_lines([])) == []
