import pytest

from engine.errors import UserError
from engine.memory import _left_in_group, parse_bytes, resident_bytes, size_in_words


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GiB", 2 * 2**30),
        ("2 GB", 2 * 10**9),
        ("1.5G", 3 * 2**29),
        ("500m", 500 * 2**20),
        ("123", 123),
        ("7B", 7),
    ],
)
def test_sizes(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "much", "2 GiBs", "-1G", "iB", "3i"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UserError, match="expected a size such as 2GiB"):
        parse_bytes(text)


def test_sizes_in_words():
    assert size_in_words(1.34 * 2**30) == "1.3 GiB"
    assert size_in_words(640 * 2**20) == "640 MiB"


def test_this_process_holds_something():
    assert 2**20 < resident_bytes() < 2**40


def group(folder, limit, used, cached, version=2):
    names = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        2: ("memory.max", "memory.current", "inactive_file"),
    }[version]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon {used - cached}\n{names[2]} {cached}\n")


def test_a_slurm_job_has_what_its_groups_leave(tmp_path):
    group(tmp_path / "slurm/job_1", 4000, 3000, 500)
    group(tmp_path / "slurm/job_1/step_0", "max", 2000, 0)
    own = "0::/slurm/job_1/step_0\n"
    assert _left_in_group(tmp_path, own) == [1500]
    group(tmp_path / "slurm/job_1/step_0", 2200, 2000, 0)
    assert sorted(_left_in_group(tmp_path, own)) == [200, 1500]


def test_a_container_sees_its_limit_at_the_root(tmp_path):
    group(tmp_path, 4000, 3000, 0)
    assert _left_in_group(tmp_path, "0::/../../outside\n") == [1000]
    assert _left_in_group(tmp_path, "0::/\n") == [1000]


def test_groups_of_the_first_version(tmp_path):
    group(tmp_path / "memory/job", 4000, 1000, 200, version=1)
    assert _left_in_group(tmp_path, "5:cpuset:/job\n4:cpu,memory:/job\n0::/\n") == [3200]


def test_no_groups_no_limit(tmp_path):
    assert _left_in_group(tmp_path, "0::/\n") == []
