"""Amazon SageMaker: a model packed, permissions known beforehand, an endpoint, and a rehearsal without an account."""
