"""What the command about the cohort of platforms says of types."""

import pytest

from edgenode.cli.platforms import _member_row, type_lines


@pytest.mark.parametrize(
    ("address", "fault", "queries", "shown"),
    [
        ("http://hub", None, {"state": "is asked", "reason": "no"}, ("is asked", "no")),
        ("http://hub", "it is elsewhere", {"state": "is asked", "reason": "no"},
         ("isn't asked", "it is elsewhere")),
        # The server takes no part in the cohort for now.
        ("http://hub", None, None, ("isn't asked", "")),
        (None, None, None, ("offers no repository", "")),
    ],
)  # fmt: skip
def test_whether_a_member_is_asked_is_shown(
    address: str | None,
    fault: str | None,
    queries: dict[str, str] | None,
    shown: tuple[str, str],
) -> None:
    member = {
        "name": "hub",
        "metadataCollectionId": "hub-id",
        "organizationName": None,
        "address": address,
        "registeredSince": None,
        "fault": fault,
    }
    row = _member_row(member | ({"queries": queries} if queries else {}))
    assert (row[5], row[-1]) == shown


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
