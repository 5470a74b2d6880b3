"""The installer reads the service's variables as systemd does."""

from pathlib import Path

import pytest

from deploy.raspberrypi.installer.layout import Layout
from deploy.raspberrypi.installer.service import FailedServiceError, _settings


def settings(root: Path, text: str) -> list[str]:
    path = root / "etc/default/edgenode"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return _settings(Layout(root))


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("A=b c", ["A=b c"]),
        ('A="b c"', ["A=b c"]),
        ("A='b \"c\"' ", ['A=b "c"']),
        ('A="b \\"c\\""', ['A=b "c"']),
        ("A = it's", ["A=it's"]),
        ('A="b""c"', ["A=bc"]),
        ('A=""', ["A="]),
        ("A=", ["A="]),
        ("# A=b", []),
        ("; A=b", []),
        ("A", []),
    ],
)
def test_quotation_marks_around_a_value_are_no_part_of_it(
    tmp_path: Path, line: str, read: list[str]
) -> None:
    assert settings(tmp_path, f"\n{line}\n") == read


def test_one_that_is_not_closed_is_told(tmp_path: Path) -> None:
    with pytest.raises(FailedServiceError, match="no closing quotation mark"):
        settings(tmp_path, 'A="b\n')
