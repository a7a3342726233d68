"""Makes the calls that arrive on stdin, one JSON document a line, with boto3,
and writes what it understood of each answer, one JSON document a line."""

import base64
import datetime
import http.client
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

NAMES = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
}

clients = {}


def client(service, endpoint):
    if service not in clients:
        clients[service] = boto3.client(
            NAMES.get(service, service),
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=60, parameter_validation=False),
        )
    return clients[service]


def params(x):
    """Turns {"$bytes": …} into bytes."""
    if isinstance(x, dict):
        if set(x) == {"$bytes"}:
            return base64.b64decode(x["$bytes"])
        return {k: params(v) for k, v in x.items()}
    if isinstance(x, list):
        return [params(v) for v in x]
    return x


# Members that are numbers in boto3's model of a service and texts in the Go SDK's.
TEXTS = {"PartNumberMarker", "NextPartNumberMarker"}


def tree(x):
    if isinstance(x, dict):
        x = {k: str(v) if k in TEXTS else v for k, v in x.items()}
        return {str(k).lower(): tree(v) for k, v in x.items() if k != "ResponseMetadata"}
    if isinstance(x, (list, tuple, set)):
        return [tree(v) for v in x]
    if isinstance(x, datetime.datetime):
        at = x.astimezone(datetime.timezone.utc)
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000)
    if isinstance(x, StreamingBody) or hasattr(x, "read"):
        x = x.read()
    if isinstance(x, (bytes, bytearray)):
        return x.decode("utf-8", "replace")
    return x


for line in sys.stdin:
    call = json.loads(line)
    try:
        out = client(call["service"], call["endpoint"])._make_api_call(call["operation"], params(call["in"]))
        answer = {"out": tree(out)}
    except ClientError as e:
        error = e.response["Error"]
        code, message = error.get("Code", ""), error.get("Message", "")
        if code.isdigit():  # an answer without a body; the Go SDK takes the name of the status
            message = http.client.responses[int(code)]
            code = message.replace(" ", "")
        answer = {"code": code, "message": message}
    except Exception as e:  # a client-side refusal; the test says it
        answer = {"code": type(e).__name__, "message": str(e), "local": True}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
