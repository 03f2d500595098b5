"""boto3 behind JSON lines: a call per line of standard input, an outcome per line of standard output."""

import base64
import json
import sys

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError

clients = {name: boto3.client(name) for name in ("ecr", "ecr-public")}


def failure_of(error):
    details = error.response["Error"]
    failure = {
        "code": details["Code"],
        "message": details.get("Message", ""),
        # An error of the service model has a class of its own.
        "typed": type(error) is not ClientError,
    }
    if "lastValidByteReceived" in error.response:
        failure["lastValidByteReceived"] = error.response["lastValidByteReceived"]
    return failure


def outcome_of(call):
    members = call["members"]
    if "layerPartBlob" in members:
        members["layerPartBlob"] = base64.b64decode(members["layerPartBlob"])
    try:
        output = getattr(clients[call["service"]], xform_name(call["operation"]))(**members)
        return {"output": output}
    except ClientError as error:
        return {"failure": failure_of(error)}


for line in sys.stdin:
    print(json.dumps(outcome_of(json.loads(line)), default=str), flush=True)
