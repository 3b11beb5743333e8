"""What an hour costs, as AWS's price list says today; no price is written down here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .clients import Clients, ask
from .plan import DeploymentPlan
from .refusal import AwsRefusal

_LISTS = {"aws": "us-east-1", "aws-cn": "cn-northwest-1"}  # regions that answer for a whole partition


@dataclass(frozen=True)
class Price:
    """The price of an hour of an endpoint.

    Attributes
    ----------
    hourly
        Of all its machines; None if it is not known.
    currency
        ``"USD"``.
    why
        Where the price comes from, or why it is not known.
    """

    hourly: float | None
    currency: str
    why: str

    def __str__(self) -> str:
        if self.hourly is None:
            return f"unknown: {self.why}"
        return f"{self.hourly:.4g} {self.currency} an hour, as long as the endpoint exists ({self.why})"


def price_of(clients: Clients, plan: DeploymentPlan) -> Price:
    """Return the price of an hour of a planned endpoint.

    Parameters
    ----------
    clients
        The account, which needs pricing:GetProducts.
    plan
        What would be deployed.
    """
    if plan.settings.serverless:
        return Price(None, "", "a serverless endpoint costs nothing while idle, and is billed by request and duration")
    place = _LISTS.get(plan.identity.partition)
    if place is None:
        return Price(None, "", f"there is no price list for {plan.region}")
    filters = {"regionCode": plan.region, "instanceName": plan.instance_type}
    reply = ask(
        clients("pricing", place).get_products,
        ServiceCode="AmazonSageMaker",
        FormatVersion="aws_v1",
        Filters=[{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters.items()],
    )
    if isinstance(reply, AwsRefusal):
        why = f"pricing:GetProducts is denied ({reply.denial.decides})" if reply.denied else str(reply)
        return Price(None, "", why)
    found = sorted({one for text in reply["PriceList"] for one in _hourly(json.loads(text))})
    if len(found) != 1:
        listed = "no price" if not found else f"{len(found)} prices"
        return Price(None, "", f"AWS's price list has {listed} for hosting on {plan.instance_type} in {plan.region}")
    value, currency = found[0]
    return Price(value * plan.settings.instances, currency, f"AWS's price list, {plan.instance_type} in {plan.region}")


def _hourly(product: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    """Yield the hourly prices on demand of a product, if it is a machine for hosting rather than for training."""
    attributes = product.get("product", {}).get("attributes", {})
    if "Hosting" not in (attributes.get("component"), attributes.get("platoinstancetype")):
        return
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term.get("priceDimensions", {}).values():
            if dimension.get("unit") in ("Hrs", "Hours", "Hour"):
                for currency, amount in dimension["pricePerUnit"].items():
                    yield float(amount), str(currency)
