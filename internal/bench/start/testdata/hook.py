"""A hook as it is usually written: invoke the new version, tell CodeDeploy.

The loop at the end is the smallest possible client of Lambda's Runtime API,
lighter than the one that AWS runs Python functions with.
"""

import http.client
import json
import os

import boto3

codedeploy = boto3.client("codedeploy")
functions = boto3.client("lambda")


def handler(event):
    status = "Failed"
    try:
        answer = functions.invoke(FunctionName=os.environ["TARGET_FUNCTION"], Payload=b'{"pullback":"smoke"}')
        json.loads(answer["Payload"].read())
        if not answer.get("FunctionError"):
            status = "Succeeded"
    finally:
        codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=status,
        )


def main():
    root = "/2018-06-01/runtime/invocation/"
    runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        runtime.request("GET", root + "next")
        answer = runtime.getresponse()
        request = answer.headers["Lambda-Runtime-Aws-Request-Id"]
        result = handler(json.loads(answer.read()))
        runtime.request("POST", root + request + "/response", json.dumps(result))
        runtime.getresponse().read()


main()
