"""Training: trajectories to samples, samples to a trio of models."""
