"""Synthetic campaigns have the prices, rates and clicks of the campaigns they were fitted to."""

from pathlib import Path

import numpy as np
import pytest

from arena.envs.errors import InputError
from arena.envs.rtb.logs import load_campaign
from arena.envs.rtb.synthetic import (
    fit_prices,
    price_law,
    synthetic_campaign,
    synthetic_campaigns,
)

NAMES = sorted(synthetic_campaigns())


def test_there_are_nine_and_an_unknown_one_is_refused() -> None:
    assert len(NAMES) == 9
    with pytest.raises(InputError, match="no synthetic campaign is called '1'; known: 1458"):
        synthetic_campaign("1")


@pytest.mark.parametrize("name", NAMES)
def test_price_law_matches_the_training_counts(name: str, arena_data: Path) -> None:
    counts = load_campaign(arena_data / "rtb" / f"{name}.info.json").price_counts
    law = synthetic_campaign(name).market
    gap = np.abs(np.cumsum(counts / counts.sum() - law)).max()
    assert gap < 0.025  # Kolmogorov-Smirnov distance


@pytest.mark.parametrize("name", NAMES)
def test_samples_have_the_training_means(name: str) -> None:
    law = synthetic_campaign(name)
    log = law.sample(400_000, seed=3)
    assert log.prices.mean() == pytest.approx(law.campaign.cpm, rel=0.02)
    assert log.ctr.mean() == pytest.approx(law.campaign.ctr, rel=0.15)
    expected = log.ctr.sum()
    assert abs(log.clicks.sum() - expected) < 4 * np.sqrt(expected)


def test_a_sample_is_a_function_of_its_seed() -> None:
    law = synthetic_campaign("2997")
    first, again, other = law.sample(100, 1), law.sample(100, 1), law.sample(100, 2)
    assert first.prices.tolist() == again.prices.tolist() != other.prices.tolist()
    assert law.sample(50, 1).ctr.tolist() == first.ctr[:50].tolist()


def test_fit_recovers_a_planted_law() -> None:
    atoms = ((20, 0.1), (70, 0.15))
    planted = price_law(atoms, ((0.3, 2.7, 0.4), (0.7, 4.4, 0.5)))
    counts = np.rint(planted * 1_000_000).astype(np.int64)
    found_atoms, mixture = fit_prices(counts, atoms=2)
    assert [price for price, _ in found_atoms] == [20, 70]
    assert [mass for _, mass in found_atoms] == pytest.approx([0.1, 0.15], abs=0.005)
    assert np.abs(price_law(found_atoms, mixture) - planted).sum() < 0.01
