"""AWS's prebuilt scikit-learn image, in which a convlens archive is served.

Each region has its own registry. The accounts are those of the file ``image_uri_config/sklearn.json`` of AWS's
SageMaker Python SDK (Apache License 2.0), read in November 2026; the pages "Docker registry paths and example code" of
the SageMaker documentation list the same. The isolated regions are left out: nobody there can try this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import ConfigurationError

REPOSITORY = "sagemaker-scikit-learn"
TAG = "1.2-1-cpu-py3"  # Python 3.8 and NumPy 1.24
REGISTRIES = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "cn-north-1": "450853457545",
    "cn-northwest-1": "451049120500",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class Image:
    """An image in a registry of Amazon ECR.

    Attributes
    ----------
    uri
        Its whole address.
    account, region, repository
        Its parts.
    reference
        Its tag or digest.
    prebuilt
        Whether it is AWS's own.
    """

    uri: str
    account: str
    region: str
    repository: str
    reference: str
    prebuilt: bool


def prebuilt_image(region: str) -> Image:
    """Return AWS's scikit-learn image in a region.

    Raises
    ------
    ConfigurationError
        If the region's registry is not known.

    Examples
    --------
    >>> prebuilt_image("us-west-2").uri
    '246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3'
    """
    account = REGISTRIES.get(region)
    if account is None:
        raise ConfigurationError(
            f"the account of AWS's scikit-learn image in {region} is not known; name the image's whole address with "
            f"--image, as the page “Docker registry paths” of the SageMaker documentation lists it for {region}"
        )
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return parsed_image(f"{account}.dkr.ecr.{region}.{suffix}/{REPOSITORY}:{TAG}")


def parsed_image(uri: str) -> Image:
    """Return an image by its address; ConfigurationError if that is not one of Amazon ECR."""
    found = _URI.fullmatch(uri)
    if found is None:
        raise ConfigurationError(
            "an image is named by its address in Amazon ECR, ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG, "
            f"not {uri!r}"
        )
    return Image(
        uri,
        found["account"],
        found["region"],
        found["repository"],
        found["tag"] or found["digest"] or "latest",
        REGISTRIES.get(found["region"]) == found["account"],
    )
