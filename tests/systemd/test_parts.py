"""What is installed of a checkout."""

from pathlib import Path

from deploy.raspberrypi.installer.parts import SOURCE, buildable


def test_what_is_built_has_nothing_of_earlier_builds(tmp_path: Path) -> None:
    for name in (
        *SOURCE,
        "edgenode/node.py",
        "edgenode/__pycache__/gone.cpython-313.pyc",
        "build/lib/edgenode/gone.py",
        "edgenode.egg-info/SOURCES.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    with buildable(tmp_path) as source:
        files = {
            str(each.relative_to(source))
            for each in source.rglob("*")
            if each.is_file()
        }
    assert files == {*SOURCE, "edgenode/node.py"}
    assert not source.exists()


def test_a_wheel_is_installed_as_it_is(tmp_path: Path) -> None:
    wheel = tmp_path / "edgenode-1-py3-none-any.whl"
    wheel.touch()
    with buildable(wheel) as source:
        assert source == wheel
