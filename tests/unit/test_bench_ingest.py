"""The files and the tables of bench/ingest."""

from collections import Counter
from pathlib import Path

from bench.ingest_by_hand import parsed, passages
from bench.ingest_files import MAX_BYTES, MIN_BYTES, SHARES, Sized, mix, small, write, write_small
from bench.ingest_report import DAEMONS, HAND, MIX, Memory, Sample, markdown_page, memory, throughput


def sample(way: str, repeat: int, seconds: float, cpu_s: float) -> Sample:
    return Sample(MIX, way, repeat, 100, 10.0, 1000, seconds, cpu_s, {"part": seconds})


SAMPLES = [
    sample(HAND, 0, 7.0, 7.0),
    sample(DAEMONS, 0, 10.0, 14.0),
    sample(HAND, 1, 9.0, 7.0),
    sample(DAEMONS, 1, 10.0, 7.0),
]


def test_mix__is_the_same_each_time_and_has_its_shares() -> None:
    assert mix(200) == mix(200)
    assert Counter(file.kind for file in mix(200)) == {kind: 2 * share for kind, share in SHARES.items()}
    assert all(MIN_BYTES <= file.size_bytes <= MAX_BYTES for file in mix(200))


def test_files_of_each_kind__are_read_with_their_own_first_line(tmp_path: Path) -> None:
    wanted = [Sized(number, kind, 2_000, 60_000) for number, kind in enumerate(SHARES)]
    for paths in (write(tmp_path / "full", wanted), write_small(tmp_path / "small", wanted)):
        for file, path in zip(wanted, paths, strict=True):
            text = "".join(passages(*parsed(Path(path))))
            assert f"문서 {file.number} document" in text
            assert "line-" not in text


def test_small_files__differ(tmp_path: Path) -> None:
    paths = write_small(tmp_path, small(30))
    assert len({Path(path).read_bytes() for path in paths}) == 30


def test_ratio__is_the_median_of_those_within_a_repetition() -> None:
    heading, row = throughput(SAMPLES)
    told = dict(zip(heading, row, strict=True))
    assert (told["ratio"], told["processor"]) == ("0.80", "1.50")
    assert "The mix reaches 0.80 of the bare work; 0.7 is wanted." in markdown_page("machine", SAMPLES, [])


def test_memory__is_told_with_its_growth() -> None:
    rows = memory([Memory(1_000, {"embed": 70.0}), Memory(2_000, {"embed": 75.4})])
    assert rows == [("documents", "embed, MiB"), ("1,000", "70"), ("2,000", "75"), ("growth", "+5")]
