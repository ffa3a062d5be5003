"""Every game as other people's environments: Gymnasium's, Stable-Baselines3's, PettingZoo's."""
