"""Which permissions a request to S3 needs: from its method and path to actions on a bucket or an object."""

from __future__ import annotations

from werkzeug.wrappers import Request as HttpRequest

from .policy import Request

_ON_OBJECT = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}
_ON_BUCKET = {
    "GET": "ListBucket",
    "HEAD": "ListBucket",
    "PUT": "CreateBucket",
    "POST": "DeleteObject",
    "DELETE": "DeleteBucket",
}
_VERBS = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}
_PARTS = {
    "location": "Location",
    "policy": "Policy",
    "tagging": "Tagging",
    "versioning": "Versioning",
    "acl": "Acl",
    "publicAccessBlock": "PublicAccessBlock",
}
"""Parts of a bucket with actions of their own, by the query that names them."""


def request_for(request: HttpRequest) -> Request:
    """Return what a caller must be allowed for a request to S3, whose path begins with the bucket."""
    bucket, _, key = request.path.lstrip("/").partition("/")
    if not bucket:
        return Request("s3:ListAllMyBuckets", "*")
    resource = f"arn:aws:s3:::{bucket}{'/' if key else ''}{key}"
    if key:
        aborts = request.method == "DELETE" and "uploadId" in request.args
        return Request("s3:AbortMultipartUpload" if aborts else f"s3:{_ON_OBJECT[request.method]}", resource)
    part = next((name for one, name in _PARTS.items() if one in request.args), None)
    if part is not None:
        return Request(f"s3:{_VERBS[request.method]}Bucket{part}", resource)
    return Request(f"s3:{_ON_BUCKET[request.method]}", resource)
