"""How a model's probabilities or words become a decision."""
