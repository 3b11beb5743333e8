"""From a model's file to an endpoint, one package a target: `sagemaker` is the one there is."""
