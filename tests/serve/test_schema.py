"""Requests made up from the OpenAPI description: the replies are what it says, whatever comes.

``CONVLENS_REQUESTS=100000 pytest tests/serve/test_schema.py`` makes that many.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from convlens.serve import App
from convlens.serve.operations import OPERATIONS, Operation
from convlens.serve.served import Models

REQUESTS = int(os.environ.get("CONVLENS_REQUESTS", "60"))
EACH = max(REQUESTS // len(OPERATIONS), 1)
load_all_checks()
WANTED = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
     "response_headers_conformance"]
)  # fmt: skip


@pytest.fixture(scope="module")
def described(served: Models) -> Any:
    app = App(served, stream=None)
    app.inference._warm = True  # no server runs it here, so nobody warms it up
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_replies_are_as_described(described: Any, operation: Operation) -> None:
    answered = 0

    @given(described[operation.path][operation.method].as_strategy())
    @settings(max_examples=EACH, suppress_health_check=list(HealthCheck), deadline=None)
    def check(case: schemathesis.Case) -> None:
        nonlocal answered
        case.call_and_validate(checks=WANTED)
        answered += 1

    check()
    assert answered >= min(EACH, 1)
