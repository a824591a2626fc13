"""The committed checkpoints: what they are, and that they make images of their domain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import pytest
import torch
from torch import Tensor

from fpsim.dit import image_card
from fpsim.dit.checkpoint import SampleNoise, load_image_dit, load_noise
from fpsim.dit.dataset import DataSet
from fpsim.dit.diffusion import add_noise, ddim_sample
from fpsim.dit.domains import DOMAINS, Domain, get_domain
from fpsim.dit.files import DATA_DIR
from fpsim.dit.hooks import block_linears, with_linears
from fpsim.dit.metrics import ImageMetric, load_metric, paired_mse, sqnr_db
from fpsim.dit.model import DiT, DiTConfig

COUNT = 100


@dataclass(frozen=True)
class Expected:
    """What a domain's workload must be and reach.

    Attributes:
        config: shape of the model.
        parameters: counted from that shape.
        sqnr_db: least signal-to-noise of the predicted noise at a timestep.
        distance: largest FD to the training set that the card may state for 1000 images.
        accuracy: least accuracy that it may state for them.
        credit: what the card must say of where the images come from.
    """

    config: DiTConfig
    parameters: int
    sqnr_db: dict[int, float]
    distance: float
    accuracy: float
    credit: tuple[str, ...]


EXPECTED = {
    "digits": Expected(
        config=DiTConfig(),
        parameters=1_060_036,
        sqnr_db={100: 3.0, 500: 10.0, 900: 18.0},
        distance=0.30,
        accuracy=0.985,
        credit=("Alpaydin", "confirmed at UCI"),
    ),
    "glyphs": Expected(
        config=DiTConfig(patch=4, image=16, classes=26),
        # 12 values more per patch in and out, 16 classes more.
        parameters=1_060_036 + 12 * 96 + 12 * 97 + 16 * 96,
        sqnr_db={100: 8.0, 500: 16.0, 900: 30.0},
        distance=0.80,
        accuracy=0.95,
        credit=("DejaVu", "Computer Modern", "licences come with matplotlib"),
    ),
}


@dataclass(frozen=True)
class Work:
    """A domain's committed files, loaded once for all tests."""

    domain: Domain
    expected: Expected
    model: DiT
    metadata: dict[str, str]
    metric: ImageMetric
    start: SampleNoise

    @cached_property
    def samples(self) -> Tensor:
        """Images from the first 100 stored points."""
        return ddim_sample(self.model, self.start.noise, self.start.labels)

    @cached_property
    def data(self) -> DataSet:
        """The images that it was trained and is tested on."""
        return self.domain.load()

    @property
    def card(self) -> str:
        """Text of the committed card."""
        return (DATA_DIR / self.domain.card_file).read_text()

    @property
    def size(self) -> int:
        """Bytes of the checkpoint."""
        return (DATA_DIR / self.domain.checkpoint_file).stat().st_size


@pytest.fixture(scope="module", params=[d.name for d in DOMAINS.values() if d.kind == "image"])
def work(request: pytest.FixtureRequest) -> Work:
    name: str = request.param
    model, metadata = load_image_dit(name)
    start = load_noise(COUNT, name)
    return Work(get_domain(name), EXPECTED[name], model, metadata, load_metric(name), start)


def test_checkpoint_is_the_domain_s_model_in_fp16(work: Work) -> None:
    assert work.model.config == work.domain.config == work.expected.config
    assert sum(value.numel() for value in work.model.state_dict().values()) == work.expected.parameters
    assert 0 < work.size - 2 * work.expected.parameters < 16_000
    for name, value in work.model.state_dict().items():
        assert torch.equal(value.half().float(), value), name


def test_checkpoint_was_trained_as_the_domain_says(work: Work) -> None:
    settings = work.domain.settings
    stated = (work.metadata["steps"], work.metadata["batch"], work.metadata["lr"], work.metadata["seed"])
    assert stated == (str(settings.steps), str(settings.batch), str(settings.lr), str(settings.seed))


def test_samples_are_recognised_as_their_class(work: Work) -> None:
    # The first hundred images may fall short of what is asked of a thousand.
    least = work.expected.accuracy - 0.035
    assert work.metric.accuracy(work.samples, work.start.labels) > least
    assert work.samples.abs().max() <= 1


def test_classifier_knows_test_images_and_not_shuffled_labels(work: Work) -> None:
    images, labels = work.data.test
    assert work.metric.accuracy(images, labels) >= 0.99
    assert work.metric.accuracy(images, (labels + 1) % work.domain.config.classes) < 0.02


def test_samples_are_as_close_to_training_as_real_test_images(work: Work) -> None:
    real = work.data.test[0][:COUNT]
    # At n = 100 both are far above the floor; the factor leaves room for the draw of the 100.
    assert work.metric.fd_to_train(work.samples) < 1.5 * work.metric.fd_to_train(real)


def test_teacher_forced_noise_is_predicted(work: Work) -> None:
    images, labels = work.data.test
    clean, noise = images[:COUNT], work.start.noise
    assert len(work.expected.sqnr_db) == 3
    for step, least in work.expected.sqnr_db.items():
        t = torch.full((COUNT,), step)
        predicted = work.model(add_noise(clean, noise, t), t, labels[:COUNT])
        assert sqnr_db(noise, predicted) > least, step


def test_guidance_keeps_the_class(work: Work) -> None:
    noise, labels = work.start.noise[:50], work.start.labels[:50]
    guided = ddim_sample(work.model, noise, labels, cfg_scale=1.5, null_label=work.domain.null)
    assert work.metric.accuracy(guided, labels) > 0.95


def test_seam_round_trip_is_bit_identical_on_images(work: Work) -> None:
    noise, labels = work.start.noise[:20], work.start.labels[:20]
    linears = block_linears(work.model)
    own = {name: lambda x, name=name: linears[name](x) for name in linears}
    plain = ddim_sample(work.model, noise, labels)
    assert torch.equal(ddim_sample(with_linears(work.model, own), noise, labels), plain)


def test_damaged_linears_are_seen_by_every_metric(work: Work) -> None:
    coarse = {
        name: lambda x, linear=linear: linear((x * 2).round() / 2)
        for name, linear in block_linears(work.model).items()
    }
    damaged = ddim_sample(with_linears(work.model, coarse), work.start.noise, work.start.labels)
    assert work.metric.fd_between(work.samples, damaged) > 1e-3
    assert paired_mse(work.samples, damaged) > 1e-4
    assert sqnr_db(work.samples, damaged) < 40


def test_card_states_the_checkpoint_it_describes(work: Work) -> None:
    assert f"# The {work.domain.name} workload" in work.card
    assert f"{work.size:,} bytes" in work.card
    assert f"| loss | {work.metadata['loss']} " in work.card
    for credit in work.expected.credit:
        assert credit in work.card


def test_card_figures_are_those_of_the_committed_samples(work: Work) -> None:
    """The card's accuracy of 1000 samples fits that of the first 100."""
    figures = r"\| generated, stored noise \| 1000 \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|"
    row = re.search(figures, work.card)
    assert row is not None
    distance, _, accuracy = (float(x) for x in row.groups())
    assert accuracy >= work.expected.accuracy
    assert distance <= work.expected.distance
    found = work.metric.accuracy(work.samples, work.start.labels)
    assert abs(found - accuracy) < 5 * (accuracy * (1 - accuracy) / COUNT) ** 0.5 + 0.01


def test_card_template_renders_every_figure(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    def instant(model: DiT, noise: Tensor, labels: Tensor, **options: float) -> Tensor:
        return noise.clamp(-1, 1)

    monkeypatch.setattr(image_card, "ddim_sample", instant)
    stages: list[str] = []
    figures = image_card.measure(
        work.domain, work.model, work.metric, work.data, seeds=2, progress=stages.append
    )
    text = image_card.card(work.domain, figures, work.metadata, 1234)
    assert stages == ["stored noise", "noise seed 0", "noise seed 1", "50 steps", "guidance 1.5"]
    assert "1,234 bytes" in text
    # Clipped noise is no image of the domain: far from training in both spaces.
    assert figures["stored"]["fd_cnn"] > 10
    assert figures["memory"]["generated"]["near"] == 0
    few, *_, many = figures["floor"]
    assert {500, 1000, len(work.data.test_images)} == set(figures["floor"])
    assert figures["floor"][many]["fd_seeds"].mean < figures["floor"][few]["fd_seeds"].mean


def test_memory_of_a_pixel_difference_of_an_eighth_is_near(work: Work) -> None:
    """The distance below which an image is a near copy grows with the image: 1 for the digits' 64 pixels."""
    near = float(re.search(r"closer than ([\d.]+)", work.card)[1])  # type: ignore[index]
    side = work.domain.config.image
    assert near == side / 8
