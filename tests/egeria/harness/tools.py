"""What running the genuine Egeria takes, and saying plainly what of it is missing."""

import re
import shutil
import subprocess

import pytest

JAVA_RELEASE = 17
"""The oldest Java that Egeria 4.2 runs on."""
JDK = "openjdk-17-jdk-headless"
PACKAGES = {"java": JDK, "javac": JDK, "mvn": "maven"}
"""Debian's package of each program."""


def missing() -> str | None:
    """What has to be installed first, as a sentence; None when all is there."""
    wanted = {PACKAGES[tool] for tool in PACKAGES if shutil.which(tool) is None}
    if JDK not in wanted and _java_release() < JAVA_RELEASE:
        wanted.add(JDK)
    if not wanted:
        return None
    packages = " ".join(sorted(wanted, reverse=True))
    return (
        f"the genuine Egeria needs Java {JAVA_RELEASE} and Maven: "
        f"sudo apt-get install {packages}"
    )


def _java_release() -> int:
    """The major release of the Java on the path; 0 when it doesn't say."""
    said = subprocess.run(
        ["java", "-version"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


_MISSING = missing()

needs_java = pytest.mark.skipif(_MISSING is not None, reason=_MISSING or "")
