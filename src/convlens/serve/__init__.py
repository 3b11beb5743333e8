"""Predictions over HTTP: the contract of SageMaker, the Open Inference Protocol, and a page that shows both."""
