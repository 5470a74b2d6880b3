"""Paths find what is mounted at them."""

import pytest

from edgenode.rest.routes import Routes


@pytest.fixture
def routes() -> Routes[str]:
    return Routes(
        [
            ("GET", "/entity/{guid}", "read"),
            ("POST", "/entity/{guid}/classification/{name}", "classify"),
            ("POST", "/entity/classification/{name}", "classify by proxy"),
            ("GET", "/entity/{guid}/classification", "not there in the API"),
            ("GET", "/entity/classification/{name}/{other}", "three"),
            ("POST", "/entity", "add"),
        ]
    )


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("entity/1", {"GET": ("read", {"guid": "1"})}),
        ("entity", {"POST": ("add", {})}),
        (
            "entity/1/classification/A",
            {"POST": ("classify", {"guid": "1", "name": "A"})},
        ),
        ("entity/classification/A", {"POST": ("classify by proxy", {"name": "A"})}),
        (
            "entity/classification/A/B",
            {"GET": ("three", {"name": "A", "other": "B"})},
        ),
        # A fixed segment that leads nowhere gives way to the parameter.
        ("entity/classification", {"GET": ("read", {"guid": "classification"})}),
    ],
)
def test_a_path_is_found(
    routes: Routes[str], path: str, found: dict[str, tuple[str, dict[str, str]]]
) -> None:
    assert routes.find(path.split("/")) == found


@pytest.mark.parametrize(
    "path",
    ["", "other", "entity/", "entity//classification/A", "entity/1/", "entity/1/x"],
)
def test_an_unknown_path_is_not_found(routes: Routes[str], path: str) -> None:
    assert routes.find(path.split("/")) == {}


def test_a_path_is_mounted_once() -> None:
    with pytest.raises(ValueError, match="is there twice"):
        Routes([("GET", "/a/{b}", "one"), ("GET", "/a/{c}", "two")])
