"""What judges clouds: the spectral rule, a model, or the delivery; the step ``clouds`` chooses one for a scene."""
