"""Floor 1, the domain: what an assessment is made of, as frozen values with no effects."""
