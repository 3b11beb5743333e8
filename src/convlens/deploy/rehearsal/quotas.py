"""Service quotas and prices: of each instance type, how many may serve endpoints, and what an hour costs.

The codes of quotas are made up, since the service model does not have them; so is the one price, which is the same for
every type: a rehearsal shows that a price is asked for, not what it is.
"""

from __future__ import annotations

import hashlib
import json

from .profiles import Profile
from .wire import AwsError, Members, service

MADE_UP_PRICE = "1.0000000000"  # US dollars an hour


def instance_types() -> tuple[str, ...]:
    """Return the instance types that may serve endpoints, from the service model."""
    return tuple(service("sagemaker").shape_for("ProductionVariantInstanceType").enum)


def quotas(profile: Profile, region: str) -> list[Members]:
    """Return the quota of every instance type."""
    return [_quota(f"{kind} for endpoint usage", profile.quota, region) for kind in instance_types()]


def quota(profile: Profile, region: str, given: Members) -> Members:
    """Return the reply to GetServiceQuota."""
    for one in quotas(profile, region):
        if (one["ServiceCode"], one["QuotaCode"]) == (given["ServiceCode"], given["QuotaCode"]):
            return {"Quota": one}
    raise AwsError("NoSuchResourceException", "The request failed because the specified service quota does not exist.")


def page(profile: Profile, region: str, given: Members) -> Members:
    """Return the reply to ListServiceQuotas: a page of quotas, and a token if there are more."""
    every = quotas(profile, region) if given["ServiceCode"] == "sagemaker" else []
    first, size = int(given.get("NextToken", "0")), given.get("MaxResults", 100)
    more = {"NextToken": str(first + size)} if first + size < len(every) else {}
    return {"Quotas": every[first : first + size], **more}


def products(region: str, given: Members) -> Members:
    """Return the reply to GetProducts: a price list entry for every instance type that passes the filters."""
    found = []
    for kind in instance_types():
        attributes = {
            "servicecode": "AmazonSageMaker",
            "regionCode": region,
            "component": "Hosting",
            "productFamily": "ML Instance",
            "instanceName": kind,
            "instanceType": f"{kind}-Hosting",
            "usagetype": f"Host:{kind}",
        }
        if all(attributes.get(one["Field"]) == one["Value"] for one in given.get("Filters", ())):
            found.append(json.dumps(_product(attributes)))
    return {"FormatVersion": "aws_v1", "PriceList": found[: given.get("MaxResults", 100)]}


def _quota(name: str, value: int, region: str) -> Members:
    code = f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"
    about = {"ServiceCode": "sagemaker", "ServiceName": "Amazon SageMaker", "QuotaName": name, "QuotaCode": code}
    arn = f"arn:aws:servicequotas:{region}:123456789012:sagemaker/{code}"
    return {**about, "QuotaArn": arn, "Value": float(value), "Unit": "None", "Adjustable": True, "GlobalQuota": False}


def _product(attributes: dict[str, str]) -> Members:
    price = {"unit": "Hrs", "description": "made up, for a rehearsal", "pricePerUnit": {"USD": MADE_UP_PRICE}}
    return {
        "product": {"productFamily": attributes["productFamily"], "attributes": attributes},
        "serviceCode": "AmazonSageMaker",
        "terms": {"OnDemand": {"rehearsal": {"priceDimensions": {"rehearsal": price}}}},
    }
