"""Content, appearance and motion against closed forms and planted damage."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from fpsim.dit.dataset import DataSet
from fpsim.dit.domains import get_domain
from fpsim.dit.files import write_set
from fpsim.dit.hooks import GROUPS
from fpsim.dit.metrics import read_metric
from fpsim.dit.video_digits import MOTIONS, load_moving_digits, trajectory, velocity
from fpsim.dit.video_metrics import (
    QUALITY_OF,
    VideoMetric,
    frames_of,
    load_video_metric,
    motion_errors,
    shifts,
    tracks,
    train_video_metric,
)

COUNT = 160
TRAINED_ON, EPOCHS = 512, 10
DOMAIN = get_domain("video")


@pytest.fixture(scope="module")
def data() -> DataSet:
    return load_moving_digits()


@pytest.fixture(scope="module")
def real(data: DataSet) -> tuple[Tensor, Tensor]:
    """Held-out videos: 160 digits in all motions."""
    videos, conditions = data.test
    return videos[:COUNT], conditions[:COUNT]


@pytest.fixture(scope="module")
def metric(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> VideoMetric:
    """A metric trained for seconds, written to a file and read again."""
    directory = tmp_path_factory.mktemp("metric")
    steps: list[tuple[int, int]] = []
    parts = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    few = DataSet(*(part[:TRAINED_ON] for part in parts))
    pack = train_video_metric(DOMAIN, few, EPOCHS, 0, lambda *at: steps.append(at))
    count = EPOCHS * TRAINED_ON * 3 // 64  # three frames, 64 a step
    assert steps == [(k + 1, count) for k in range(count)]
    write_set(directory, {DOMAIN.metric_file: pack.content})
    return VideoMetric(read_metric(DOMAIN, directory))


def dots(path: np.ndarray, value: float = 1.0) -> Tensor:
    """A video of one dot per frame on white paper."""
    video = -torch.ones(1, 3, 12, 12)
    for frame, (row, column) in enumerate(path.tolist()):
        video[0, frame, row, column] = value
    return video


def shifted(videos: Tensor, frame: int, columns: int) -> Tensor:
    """One frame moved along a row; what leaves on one side enters on the other."""
    moved = videos.clone()
    moved[:, frame] = moved[:, frame].roll(columns, dims=2)
    return moved


class TestShift:
    def test_of_a_dot_is_its_step(self) -> None:
        path = np.array([[0, 11], [3, 8], [8, 6]])
        np.testing.assert_allclose(tracks(dots(path))[0], path - path[0], atol=1e-9)
        np.testing.assert_allclose(tracks(dots(path, value=0.25))[0], path - path[0], atol=1e-9)

    def test_of_a_half_step_is_half(self) -> None:
        """Ink over two pixels: two equal matches, and the parabola's top lies between them."""
        here, there = dots(np.array([[4, 4]] * 3)), dots(np.array([[4, 4]] * 3), 0.5)
        there[:, :, 4, 5] = 0.5
        np.testing.assert_allclose(shifts(here, there), np.full((1, 3, 2), [0, 0.5]), atol=1e-9)
        np.testing.assert_allclose(shifts(there, here), np.full((1, 3, 2), [0, -0.5]), atol=1e-9)

    def test_of_any_shape_is_the_roll(self, real: tuple[Tensor, Tensor]) -> None:
        videos = real[0][:20]
        for row, column in ((0, 0), (3, -2), (-5, 5), (-6, 1)):
            found = shifts(videos, videos.roll((row, column), dims=(2, 3)))
            np.testing.assert_allclose(found, np.broadcast_to([row, column], found.shape), atol=1e-9)

    def test_ignores_faint_background(self) -> None:
        path = trajectory(3) + np.array([4, -2])
        faint = torch.where(dots(path) < 0, -torch.rand(1, 3, 12, 12), dots(path))
        np.testing.assert_allclose(tracks(faint)[0], path - path[0], atol=1e-9)

    def test_without_ink_is_zero(self) -> None:
        paper = -torch.ones(1, 3, 12, 12)
        assert not tracks(paper).any()
        assert not shifts(paper, dots(np.array([[3, 3]] * 3))).any()

    def test_of_real_videos_is_what_was_asked(self, real: tuple[Tensor, Tensor]) -> None:
        videos, conditions = real
        steps = np.diff(tracks(videos), axis=1)
        asked = np.array([velocity(motion) for motion in conditions[:, 1].tolist()])
        np.testing.assert_allclose(steps, np.repeat(asked[:, None], 2, axis=1), atol=1e-9)

    def test_hardly_follows_noise_in_the_grey(self, real: tuple[Tensor, Tensor]) -> None:
        videos = real[0]
        noise = 0.1 * torch.randn(videos.shape, generator=torch.Generator().manual_seed(0))
        stray = shifts(videos, torch.where(videos > 0, videos + noise, videos))
        assert np.linalg.norm(stray, axis=-1).mean() < 0.03


class TestMotion:
    @pytest.mark.parametrize("motion", range(MOTIONS))
    def test_asked_and_other_motions_have_the_errors_of_the_closed_form(self, motion: int) -> None:
        video = dots(trajectory(0))
        # Frames are 1, 0 and 1 steps from the middle, 2/3 on average, and so is the error of the speed's.
        expected = math.dist(velocity(motion), velocity(0)) * 2 / 3
        assert motion_errors(video, torch.tensor([[3, motion]]))[0] == pytest.approx(expected)

    def test_one_stray_frame_has_the_error_of_the_closed_form(self) -> None:
        video = shifted(dots(trajectory(2)), 1, 3)
        # Of 3 pixels a third moves the middle: one frame is 2 away from it, two are 1 away.
        assert motion_errors(video, torch.tensor([[3, 2]]))[0] == pytest.approx((2 + 1 + 1) / 3)

    def test_the_start_does_not_matter(self) -> None:
        videos = torch.cat([dots(trajectory(5) + start) for start in ([[0, 0]], [[4, 6]], [[7, 7]])])
        np.testing.assert_allclose(motion_errors(videos, torch.tensor([[0, 5]] * 3)), 0, atol=1e-9)


def test_content_is_the_negative_cross_entropy(metric: VideoMetric, real: tuple[Tensor, Tensor]) -> None:
    videos, conditions = real
    logits = metric.frames.net(frames_of(videos))
    labels = conditions[:, 0].repeat_interleave(3)
    expected = -float(torch.nn.functional.cross_entropy(logits, labels))
    assert metric.content(*real) == pytest.approx(expected, rel=1e-5)
    assert metric.accuracy(*real) == float((logits.argmax(dim=1) == labels).double().mean())


def test_training_frames_have_total_variance_100_and_distance_zero(
    metric: VideoMetric, data: DataSet
) -> None:
    videos = data.train[0][:TRAINED_ON]
    for space in ("cnn", "pixels"):
        assert np.trace(metric.frames.train[space].cov) == pytest.approx(100, rel=1e-6)
        assert metric.appearance(videos, space) == pytest.approx(0, abs=1e-3)


def test_each_damage_moves_the_metric_that_it_is_for(
    metric: VideoMetric, real: tuple[Tensor, Tensor]
) -> None:
    """Planted damage: another digit on the same path, a stray frame, faded rows."""
    videos, conditions = real
    same = metric.gaps(videos, videos, conditions)
    assert same == pytest.approx({"content": 0, "appearance": 0, "motion": 0}, abs=1e-6)

    # By the step of training: between its places the classifier's features move too.
    stray = metric.gaps(videos, shifted(videos, 2, 2), conditions)
    assert stray["motion"] == pytest.approx(2 / 3, abs=1e-6)

    wrong = conditions.clone()
    wrong[:, 0] = (wrong[:, 0] + 1) % 10
    assert metric.content(videos, wrong) < metric.content(videos, conditions) - 0.5
    assert metric.motion(videos, wrong) == metric.motion(videos, conditions)

    striped = videos.clone()
    striped[:, :, ::2] *= 0.5
    dull = metric.gaps(videos, striped, conditions)
    assert dull["appearance"] > 3 * stray["appearance"]
    assert stray["motion"] > 3 * dull["motion"]


def test_gaps_grow_with_damage(metric: VideoMetric, real: tuple[Tensor, Tensor]) -> None:
    videos, conditions = real
    noise = torch.randn(videos.shape, generator=torch.Generator().manual_seed(1))
    found = [metric.gaps(videos, videos + s * noise, conditions) for s in (0.03, 0.1, 0.3, 1.0)]
    for quality in ("content", "appearance", "motion"):
        values = [gap[quality] for gap in found]
        assert values == sorted(values), quality
        assert values[0] > 0


def test_every_group_has_a_metric() -> None:
    assert set(QUALITY_OF) == set(GROUPS)
    assert set(QUALITY_OF.values()) == {"content", "appearance", "motion"}


def test_refusals_name_the_argument(metric: VideoMetric, real: tuple[Tensor, Tensor]) -> None:
    videos, conditions = real[0][:4], real[1][:4]
    with pytest.raises(ValueError, match=r"videos: shape \(4, 2, 12, 12\)"):
        tracks(videos[:, :2])
    with pytest.raises(ValueError, match=r"videos: dtype torch\.int64"):
        tracks(videos.long())
    with pytest.raises(ValueError, match="videos: NaN"):
        metric.content(videos * math.nan, conditions)
    with pytest.raises(ValueError, match="videos: shape"):
        metric.appearance(videos[0])
    with pytest.raises(ValueError, match="test: NaN"):
        metric.gaps(videos, videos / 0, conditions)
    with pytest.raises(ValueError, match="test: 3 videos, expected 4"):
        metric.gaps(videos, videos[:3], conditions)
    with pytest.raises(ValueError, match=r"conditions: shape \(4,\), expected \(4, 2\)"):
        metric.motion(videos, conditions[:, 0])
    for bad in ([[10, 0]], [[0, 9]], [[-1, 0]]):
        with pytest.raises(ValueError, match="conditions: expected digits 0 to 9 and motions 0 to 8"):
            metric.accuracy(videos[:1], torch.tensor(bad))
    with pytest.raises(ValueError, match="domain='digits': an image domain, expected one of videos"):
        load_video_metric("digits")
    with pytest.raises(ValueError, match="domain='faces'"):
        load_video_metric("faces")
