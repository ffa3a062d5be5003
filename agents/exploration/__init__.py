"""Players that are paid to look around: exploration bonuses, and PPO that trains with them."""
