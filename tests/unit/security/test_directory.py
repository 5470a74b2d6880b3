"""What is kept of a cohort, how a node gets into one, and what damage does."""

import json
import logging
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenode.security.cohorts import Cohort
from edgenode.security.directory import (
    CohortDirectory,
    DamagedCohortError,
    first_cohort,
    open_cohort,
    read_token_file,
    settled_cohort,
)
from edgenode.security.keys import CohortKey, InvalidTokenError
from edgenode.security.private_files import wipe, write_private
from tests.unit.security.samples import COHORT, KEY, NEXT_KEY, NOW, issued


@pytest.fixture
def directory(tmp_path: Path) -> CohortDirectory:
    return CohortDirectory(tmp_path / "data")


@pytest.fixture
def join_file(tmp_path: Path) -> Path:
    path = tmp_path / "edgenode.token"
    path.write_text(f"\ufeff{KEY.token}\r\n", encoding="utf-8")
    return path


KEYS = st.builds(
    CohortKey, st.sampled_from(["home", "a.b-c_d"]), st.binary(min_size=32, max_size=32)
)
COHORTS = st.builds(
    Cohort,
    key=KEYS,
    number=st.integers(0, 2**31 - 1),
    previous=KEYS,
    overlap_ends=st.integers(0, 2**50),
) | st.builds(
    Cohort,
    key=KEYS,
    number=st.integers(0, 9),
    former=st.lists(KEYS.map(lambda key: key.tag), min_size=1, max_size=16).map(tuple),
    rotated_at=st.integers(0, 2**50),
)


@settings(max_examples=30)
@given(COHORTS)
def test_what_is_kept_comes_back(
    tmp_path_factory: pytest.TempPathFactory, cohort: Cohort
) -> None:
    directory = CohortDirectory(tmp_path_factory.getbasetemp() / "kept")
    directory.save(cohort)
    assert directory.load() == cohort


def test_it_is_for_nobody_else(directory: CohortDirectory) -> None:
    assert directory.load() is None
    directory.save(COHORT)
    for each in (directory.path, directory.path.parent):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700
    assert [path.name for path in directory.path.iterdir()] == ["cohort.json"]
    assert stat.S_IMODE(directory.cohort_path.stat().st_mode) == 0o600


def _document(**changes: object) -> str:
    document = {"format": 1, "name": "home", "number": 1, "token": KEY.token}
    return json.dumps({**document, **changes})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("\0" * 100, "JSON"),
        ("[]", "TypeError"),
        ("7", "TypeError"),
        ("{}", "format"),
        (_document(format=2), "newer edgenode"),
        (_document(token=KEY.token[:-1]), "join token"),
        (_document(token=7), "token"),
        (_document(number="1"), "no number"),
        (_document(number=-1), "no number"),
        (_document(number=True), "no number"),
        (_document(number=2**31), "too large"),
        (_document(previous="x"), "join token"),
        (_document(previous=KEY.token, overlapEnds=None), "no number"),
        (" " * 600_000, "larger"),
    ],
)
def test_a_damaged_cohort_is_told_and_never_replaced(
    directory: CohortDirectory, join_file: Path, text: str, why: str
) -> None:
    directory.save(COHORT)
    directory.cohort_path.write_text(text)
    with pytest.raises(DamagedCohortError, match=why):
        directory.load()
    for file in (None, join_file):
        with pytest.raises(DamagedCohortError, match=why) as caught:
            settled_cohort(directory, "new", file)
        assert "edgenode cohort join" in caught.value.mend
        assert KEY.token not in str(caught.value)
    assert directory.cohort_path.read_text() == text
    assert join_file.exists()


def test_a_cohort_that_cannot_be_read(directory: CohortDirectory) -> None:
    directory.cohort_path.mkdir(parents=True)
    with pytest.raises(DamagedCohortError, match="directory"):
        directory.load()


def test_leaving_keeps_the_key(directory: CohortDirectory) -> None:
    directory.leave()
    directory.save(COHORT)
    for path in issued("one").files.directory.iterdir():
        write_private(directory.path / path.name, path.read_bytes())
    directory.leave()
    assert [path.name for path in directory.path.iterdir()] == ["node.key"]
    assert directory.load() is None


def test_each_cohort_has_files_of_its_own(directory: CohortDirectory) -> None:
    own = directory.kept_of(COHORT)
    write_private(own / "removals.json", b"[]")
    rotated = COHORT.rotated(NEXT_KEY, NOW, 0)
    assert directory.kept_of(rotated) == own
    others = [Cohort(key=NEXT_KEY), *map(open_cohort, ("home", "..", KEY.tag))]
    made = {directory.kept_of(cohort) for cohort in others}
    assert len(made) == 4
    for path in made:
        assert path.parent == directory.path
        assert not list(path.iterdir())
    for path in (directory.path, own):
        assert path.stat().st_mode & 0o077 == 0
    directory.save(rotated)
    directory.leave()
    assert (own / "removals.json").exists()


@pytest.mark.parametrize("tag", ["..", "", 1, KEY.tag.upper()])
def test_no_file_leads_elsewhere(directory: CohortDirectory, tag: object) -> None:
    directory.save(COHORT.rotated(NEXT_KEY, NOW, 0))
    document = json.loads(directory.cohort_path.read_text())
    assert document["firstTag"] == KEY.tag
    directory.cohort_path.write_text(json.dumps(document | {"firstTag": tag}))
    with pytest.raises(DamagedCohortError, match="is no tag"):
        directory.load()


def test_what_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, b"old")
    (tmp_path / "file.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"


def test_nothing_is_written_through_somebody_elses_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / "file.part").symlink_to(tmp_path / "target")
    write_private(tmp_path / "file", b"ours")
    assert (tmp_path / "target").read_bytes() == b"theirs"
    assert (tmp_path / "file").read_bytes() == b"ours"


# The first start


def test_a_node_makes_a_cohort_once(directory: CohortDirectory) -> None:
    cohort, is_new = settled_cohort(directory, "home")
    assert (is_new, cohort.key.name, cohort.number) == (True, "home", 1)
    assert settled_cohort(directory, "other") == (cohort, False)
    assert first_cohort(directory, "home") != cohort


def test_a_node_joins_with_a_file_which_is_wiped(
    directory: CohortDirectory, join_file: Path
) -> None:
    os.link(join_file, join_file.with_suffix(".other"))  # to see its content after
    size = join_file.stat().st_size
    joined = Cohort(key=KEY, number=0)
    assert settled_cohort(directory, "other", join_file) == (joined, False)
    assert not join_file.exists()
    assert join_file.with_suffix(".other").read_bytes() == bytes(size)
    assert settled_cohort(directory, "other", join_file) == (joined, False)


def test_a_join_file_that_is_not_there_is_told_of(
    directory: CohortDirectory, join_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    token = join_file.read_bytes()
    join_file.unlink()
    mine, is_new = settled_cohort(directory, "mine", join_file)
    assert is_new
    assert f"there is no {join_file}" in caplog.text
    caplog.clear()
    assert settled_cohort(directory, "mine", join_file) == (mine, False)
    assert not caplog.text
    join_file.write_bytes(token)
    assert settled_cohort(directory, "mine", join_file) == (mine, False)
    assert f"{join_file} is left alone" in caplog.text


def test_a_stop_before_the_wiping_is_made_good(
    directory: CohortDirectory, join_file: Path
) -> None:
    directory.save(COHORT.rotated(NEXT_KEY, NOW, 7))
    cohort, _ = settled_cohort(directory, "other", join_file)
    assert cohort.key == NEXT_KEY
    assert not join_file.exists()


def test_a_node_stays_in_its_cohort(
    directory: CohortDirectory, join_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    mine = first_cohort(directory, "mine")
    assert settled_cohort(directory, "other", join_file) == (mine, False)
    assert join_file.exists()
    assert "edgenode cohort join --file" in caplog.text
    assert KEY.token not in caplog.text


@pytest.mark.parametrize("content", [b"", b"\xff", b"edgenode-AQAB", b"x" * 5_000])
def test_no_cohort_is_made_in_place_of_the_one_to_join(
    directory: CohortDirectory, join_file: Path, content: bytes
) -> None:
    join_file.write_bytes(content)
    with pytest.raises(DamagedCohortError, match="join token") as caught:
        settled_cohort(directory, "other", join_file)
    assert caught.value.path == join_file
    assert directory.load() is None
    assert join_file.read_bytes() == content


def test_a_file_that_cannot_be_wiped_is_told(
    directory: CohortDirectory,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    reading, writing = os.pipe()
    os.write(writing, KEY.token.encode())
    os.close(writing)
    try:  # a pipe can be read, but not overwritten or removed
        cohort, _ = settled_cohort(directory, "x", Path(f"/dev/fd/{reading}"))
    finally:
        os.close(reading)
    assert cohort.key == KEY
    assert "can't be removed" in caplog.text


def test_wiping_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        wipe(tmp_path / "none")


def test_token_files(tmp_path: Path, join_file: Path) -> None:
    assert read_token_file(tmp_path / "none") is None
    assert read_token_file(join_file) == KEY
    join_file.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidTokenError, match="isn't text"):
        read_token_file(join_file)


def test_an_open_cohort_needs_nothing() -> None:
    one, two = open_cohort("bench"), open_cohort("bench")
    assert one == two
    assert one.is_open
    assert open_cohort("bench2").key.tag != one.key.tag
