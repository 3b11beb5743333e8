"""What a caller must be allowed for each call: actions, resources and condition keys, as IAM knows them."""

from __future__ import annotations

from .account import ACCOUNT, Account
from .hosting import Hosting
from .policy import Request
from .routing import Routed
from .wire import Members

_FREE = ("GetCallerIdentity",)  # needs no permission
_STORAGE = {
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "DeleteObjects": "DeleteObject",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListBuckets": "ListAllMyBuckets",
}
"""S3's operations whose permission has another name; of most others it has the operation's."""


def action_of(call: Routed) -> str:
    """Return the permission that a call needs, such as ``s3:ListBucket`` for HeadBucket."""
    return f"{call.service}:{_STORAGE.get(call.name, call.name) if call.service == 's3' else call.name}"


def needs(call: Routed, given: Members, account: Account, hosting: Hosting) -> list[Request]:
    """Return what a caller must be allowed for a call: several requests, for some."""
    if call.name in _FREE:
        return []
    if call.service == "sagemaker":
        return hosting.requests(call.name, given)
    return [Request(action_of(call), _resource(call, given, account))]


def _resource(call: Routed, given: Members, account: Account) -> str:
    """Return the ARN that a call to another service than SageMaker is about; ``*`` if it is about no single one."""
    if call.service == "s3" and "Bucket" in given:
        return f"arn:aws:s3:::{given['Bucket']}" + (f"/{given['Key']}" if "Key" in given else "")
    if call.service == "logs":
        return f"arn:aws:logs:{call.region}:{ACCOUNT}:log-group:{given.get('logGroupName', '*')}"
    if "RoleName" in given:
        return account.role_named(given["RoleName"])
    if "UserName" in given:
        return f"arn:aws:iam::{ACCOUNT}:user/{given['UserName']}"
    return str(next((given[name] for name in ("PolicySourceArn", "RoleArn", "PolicyArn") if name in given), "*"))
