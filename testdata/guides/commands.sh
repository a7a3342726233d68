#!/usr/bin/env bash
# The AWS CLI commands of two guides to rolling deployments back on AWS, each as
# it is printed there, and each with what must come of it. Placeholders for the
# ids of deployments and instances are replaced by real ones; nothing else is.
#
# cmd/pullback/guides_test.go prepares what the guides take for granted, and runs
# this against "pullback local up --clock manual".
set -euo pipefail

# expect WANT: what comes in must be WANT.
expect() {
  local got
  got=$(cat)
  [ "$got" = "$1" ] && return
  echo "line ${BASH_LINENO[0]}: want: $1" >&2
  echo "line ${BASH_LINENO[0]}: got:  $got" >&2
  exit 1
}

# pass 5m: time passes.
pass() {
  python3 - "$1" <<'PY' >/dev/null
import os, sys, urllib.request
urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_local/clock", data=b'{"advance":"%s"}' % sys.argv[1].encode()).read()
PY
}

# one DOCUMENT: without white space.
one() { python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin), separators=(",", ":"), sort_keys=True))'; }

echo "== an application and a group on an Auto Scaling group"
aws deploy create-application \
--application-name myapp \
--compute-platform Server >/dev/null
aws deploy get-application --application-name myapp --query application.computePlatform --output text | expect Server

aws deploy create-deployment-group \
--application-name myapp \
--deployment-group-name myapp-production \
--service-role-arn arn:aws:iam::123456789012:role/CodeDeployRole \
--auto-scaling-groups myapp-asg-prod \
--deployment-config-name CodeDeployDefault.HalfAtATime \
--load-balancer-info targetGroupInfoList=[{name=myapp-tg}] \
--auto-rollback-configuration enabled=true,events=DEPLOYMENT_FAILURE,DEPLOYMENT_STOP_ON_ALARM \
--alarm-configuration \
enabled=true,alarms=[{name=myapp-5xx-errors},{name=myapp-high-latency}] >/dev/null
aws deploy get-deployment-group --application-name myapp --deployment-group-name myapp-production \
  --query 'deploymentGroupInfo.[autoScalingGroups[0].name,loadBalancerInfo.targetGroupInfoList[0].name,join(`,`,autoRollbackConfiguration.events),join(`,`,alarmConfiguration.alarms[].name)]' |
  one | expect '["myapp-asg-prod","myapp-tg","DEPLOYMENT_FAILURE,DEPLOYMENT_STOP_ON_ALARM","myapp-5xx-errors,myapp-high-latency"]'

echo "== a revision from S3"
aws deploy create-deployment \
--application-name myapp \
--deployment-group-name myapp-production \
--s3-location bucket=myapp-artifacts,key=releases/myapp-1.2.3.zip,bundleType=zip \
--description "Release 1.2.3" >/dev/null
pass 10m
D=$(aws deploy list-deployments --application-name myapp --deployment-group-name myapp-production --query 'deployments[0]' --output text)
aws deploy get-deployment --deployment-id "$D" --query 'deploymentInfo.[status,description,deploymentOverview.Succeeded]' | one | expect '["Succeeded","Release 1.2.3",2]'

echo "== canary, linear and custom configurations on Lambda"
aws deploy create-deployment \
--application-name myapp-lambda \
--deployment-group-name production \
--deployment-config-name CodeDeployDefault.LambdaCanary10Percent5Minutes \
--revision revisionType=S3,s3Location="{bucket=myapp-appspec,key=appspec.yaml,bundleType=YAML}" >/dev/null
pass 1m
aws lambda get-alias --function-name myapp-api --name live --query '[FunctionVersion,RoutingConfig.AdditionalVersionWeights]' | one | expect '["1",{"2":0.1}]'

D=$(aws deploy list-deployments --application-name myapp-lambda --deployment-group-name production --query 'deployments[0]' --output text)
aws deploy stop-deployment \
--deployment-id "$D" \
--auto-rollback-enabled >/dev/null
pass 1m
aws deploy get-deployment --deployment-id "$D" --query 'deploymentInfo.[status,errorInformation.code]' --output text | expect $'Stopped\tMANUAL_STOP'
aws lambda get-alias --function-name myapp-api --name live --query '[FunctionVersion,RoutingConfig]' | one | expect '["1",null]'

aws deploy create-deployment \
--application-name myapp-lambda \
--deployment-group-name production \
--deployment-config-name CodeDeployDefault.LambdaLinear10PercentEvery1Minute \
--revision revisionType=S3,s3Location="{bucket=myapp-appspec,key=appspec.yaml,bundleType=YAML}" >/dev/null
pass 3m
aws lambda get-alias --function-name myapp-api --name live --query 'RoutingConfig.AdditionalVersionWeights."2"' --output text | expect 0.3
pass 10m
aws lambda get-alias --function-name myapp-api --name live --query '[FunctionVersion,RoutingConfig]' | one | expect '["2",null]'

aws deploy create-deployment-config \
--deployment-config-name MyCanary25Percent2Min \
--compute-platform Lambda \
--traffic-routing-config \
type=TimeBasedCanary,timeBasedCanary="{canaryPercentage=25,canaryInterval=2}" >/dev/null
aws deploy get-deployment-config --deployment-config-name MyCanary25Percent2Min --query 'deploymentConfigInfo.trafficRoutingConfig' |
  one | expect '{"timeBasedCanary":{"canaryInterval":2,"canaryPercentage":25},"type":"TimeBasedCanary"}'

# The group that the rest of that guide speaks of.
aws deploy create-deployment-group --application-name myapp --deployment-group-name production --auto-scaling-groups myapp-asg-prod \
  --service-role-arn arn:aws:iam::123456789012:role/CodeDeployRole --deployment-config-name CodeDeployDefault.AllAtOnce >/dev/null

echo "== rollback triggers; as printed, the AWS CLI itself refuses the alarms"
refusal=$(aws deploy update-deployment-group \
--application-name myapp \
--current-deployment-group-name production \
--auto-rollback-configuration \
'enabled=true,events=["DEPLOYMENT_FAILURE","DEPLOYMENT_STOP_ON_ALARM"]' \
--alarm-configuration \
'enabled=true,alarms=[{"name":"myapp-5xx-errors"},{"name":"myapp-p99-latency"}]' 2>&1) && { echo "the AWS CLI takes it now" >&2; exit 1; }
case "$refusal" in *"Expected: '=', received: '\"'"*) ;; *) echo "another refusal: $refusal" >&2; exit 1 ;; esac
# Corrected: no quotation marks within the shorthand.
aws deploy update-deployment-group \
--application-name myapp \
--current-deployment-group-name production \
--auto-rollback-configuration \
'enabled=true,events=[DEPLOYMENT_FAILURE,DEPLOYMENT_STOP_ON_ALARM]' \
--alarm-configuration \
'enabled=true,alarms=[{name=myapp-5xx-errors},{name=myapp-p99-latency}]' >/dev/null
aws deploy get-deployment-group --application-name myapp --deployment-group-name production \
  --query 'deploymentGroupInfo.[autoRollbackConfiguration.enabled,join(`,`,autoRollbackConfiguration.events),join(`,`,alarmConfiguration.alarms[].name)]' |
  one | expect '[true,"DEPLOYMENT_FAILURE,DEPLOYMENT_STOP_ON_ALARM","myapp-5xx-errors,myapp-p99-latency"]'

echo "== by hand, back to the revision before"
deploy() { # deploy KEY: a release of the team
  aws deploy create-deployment --application-name myapp --deployment-group-name production \
    --s3-location "bucket=myapp-artifacts,key=releases/$1.zip,bundleType=zip" --query deploymentId --output text
}
deploy myapp-1.2.2 >/dev/null
pass 10m
deploy myapp-1.2.3 >/dev/null
pass 10m
LAST_DEPLOYMENT_ID=$(aws deploy list-deployments \
--application-name myapp \
--deployment-group-name production \
--include-only-statuses Succeeded \
--query 'deployments[0]' \
--output text)
aws deploy get-deployment \
--deployment-id $LAST_DEPLOYMENT_ID \
--query 'deploymentInfo.revision' | python3 -c 'import json, sys; print(json.load(sys.stdin)["s3Location"]["key"])' | expect releases/myapp-1.2.3.zip
aws deploy create-deployment \
--application-name myapp \
--deployment-group-name production \
--s3-location bucket=myapp-artifacts,key=releases/myapp-1.2.2.zip,bundleType=zip \
--description "Manual rollback to 1.2.2" >/dev/null
pass 10m
D=$(aws deploy list-deployments --application-name myapp --deployment-group-name production --query 'deployments[0]' --output text)
aws deploy get-deployment --deployment-id "$D" --query 'deploymentInfo.[status,description]' --output text | expect $'Succeeded\tManual rollback to 1.2.2'

echo "== a revision that cannot be installed goes back by itself"
BAD=$(deploy myapp-1.2.4)
pass 20m
aws deploy list-deployments \
--application-name myapp \
--deployment-group-name production \
--query 'deployments[:10]' \
--output table | grep -c ' d-' | expect 5
aws deploy get-deployment \
--deployment-id "$BAD" \
--query 'deploymentInfo.{Status:status,Rollback:rollbackInfo,StartTime:startTime,Duration:deploymentDuration}' |
  python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["Status"], d["Duration"], "rollbackDeploymentId" in d["Rollback"])' |
  expect "Failed None True" # there is no field deploymentDuration
aws deploy list-deployment-instances \
--deployment-id "$BAD" \
--instance-status-filter Failed \
--output table | grep -c ' i-' | expect 2
I=$(aws deploy list-deployment-instances --deployment-id "$BAD" --instance-status-filter Failed --query 'instancesList[0]' --output text)
aws deploy get-deployment-instance \
--deployment-id "$BAD" \
--instance-id "$I" \
--query 'instanceSummary.lifecycleEvents[?status==`Failed`]' |
  python3 -c 'import json, sys; print([e["lifecycleEventName"] for e in json.load(sys.stdin)])' | expect "['Install']"

echo "== publish a function and see what serves"
NEW_VERSION=$(aws lambda update-function-code \
--function-name $LAMBDA_FUNCTION \
--zip-file fileb://function.zip \
--query Version \
--output text \
--publish)
echo "$NEW_VERSION" | expect 3
CURRENT_VERSION=$(aws lambda get-alias \
--function-name $LAMBDA_FUNCTION \
--name live \
--query FunctionVersion --output text)
echo "$CURRENT_VERSION" | expect 2

echo "== secrets of an application"
DB_HOST=$(aws ssm get-parameter \
--name /myapp/prod/db-host \
--query Parameter.Value \
--output text \
--region us-east-1)
echo "$DB_HOST" | expect db.internal
DB_PASS=$(aws ssm get-parameter \
--name /myapp/prod/db-password \
--with-decryption \
--query Parameter.Value \
--output text \
--region us-east-1)
echo "$DB_PASS" | expect secret

echo "== an ECS service goes back to an earlier task definition"
aws ecs update-service \
  --cluster my-cluster \
  --service api-service \
  --task-definition api:42 >/dev/null # previous known-good revision
aws ecs describe-services --cluster my-cluster --services api-service --query 'services[0].deployments[].[status,taskDefinition,rolloutState]' | one |
  expect '[["PRIMARY","arn:aws:ecs:us-east-1:123456789012:task-definition/api:42","IN_PROGRESS"],["ACTIVE","arn:aws:ecs:us-east-1:123456789012:task-definition/api:43","COMPLETED"]]'
pass 10m
aws ecs describe-services --cluster my-cluster --services api-service --query 'services[0].deployments[].[status,taskDefinition,rolloutState]' | one |
  expect '[["PRIMARY","arn:aws:ecs:us-east-1:123456789012:task-definition/api:42","COMPLETED"]]'

echo "== a server of one's own"
aws deploy register-on-premises-instance --instance-name rack-1 --iam-user-arn arn:aws:iam::123456789012:user/rack-1
aws deploy add-tags-to-on-premises-instances --instance-names rack-1 --tags Key=site,Value=own
aws deploy get-on-premises-instance --instance-name rack-1 --query 'instanceInfo.[instanceName,iamUserArn,tags[0].Value]' --output text |
  expect $'rack-1\tarn:aws:iam::123456789012:user/rack-1\town'
echo "== all as it should be"
