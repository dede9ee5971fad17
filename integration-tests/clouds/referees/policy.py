"""The documented policy (argv[2]) given to a user of moto, which enforces it: each of its actions is let in, none that it
does not name, and none of a statement that is taken out. argv[1], the simulator's address, is of no use here.

moto takes every resource for `*` unless its hook says which one is meant; here the hook reads it from the request."""
import json
import sys

import boto3
import botocore.config
import botocore.exceptions
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count
from moto.rds.responses import RDSResponse

REGION, ACCOUNT = "eu-central-1", "123456789012"
ARN = f"arn:aws:rds:{REGION}:{ACCOUNT}"
SERVER, GROUP = "team-shop", "team-shop-hcpg-pg16"
# The field that says whom a call is about, the first one that is there, and the kind in its ARN.
ABOUT = {"DBInstanceIdentifier": "db", "DBClusterIdentifier": "cluster", "DBParameterGroupName": "pg",
         "DBClusterParameterGroupName": "cluster-pg"}


def about(self):
    if self._get_action().startswith("Describe"):
        return "*"
    if self._get_param("ResourceName"):
        return self._get_param("ResourceName")
    for field, kind in ABOUT.items():
        if self._get_param(field):
            return f"{ARN}:{kind}:{self._get_param(field)}"
    return "*"


RDSResponse._determine_resource = about


def value(name, shape):
    """Something that fits, so that the call is made at all."""
    if name == "ResourceName":
        return f"{ARN}:db:{SERVER}"
    if name.endswith("ParameterGroupName"):
        return GROUP
    if shape.type_name == "string":
        return SERVER
    if shape.type_name == "list":
        return [value(name, shape.member)]
    if shape.type_name == "structure":
        return {name: value(name, member) for name, member in shape.members.items()}
    return {"boolean": True, "timestamp": "2026-01-01T00:00:00Z"}.get(shape.type_name, 1)


def is_refused(rds, action, **fields):
    model = rds.meta.service_model.operation_model(action)
    members = model.input_shape.members if model.input_shape else {}
    required = model.input_shape.required_members if model.input_shape else []
    asked = {name: value(name, members[name]) for name in required}
    asked |= {name: value for name, value in fields.items() if name in members}
    try:
        rds._make_api_call(action, asked)
    except botocore.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("InvalidClientTokenId", "SignatureDoesNotMatch"):
            sys.exit(f"{action}: {code}")
        return code == "AccessDenied"
    except Exception:
        pass  # moto lets it in, and cannot do it.
    return False


def client(policy):
    """A user who may do what the policy says; three calls that nobody checks."""
    @set_initial_no_auth_action_count(3)
    def made():
        iam = boto3.client("iam", region_name="us-east-1", aws_access_key_id="root", aws_secret_access_key="root")
        iam.create_user(UserName="operator")
        iam.put_user_policy(UserName="operator", PolicyName="documented", PolicyDocument=json.dumps(policy))
        return iam.create_access_key(UserName="operator")["AccessKey"]
    key = made()
    config = botocore.config.Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    return boto3.client("rds", region_name=REGION, aws_access_key_id=key["AccessKeyId"],
                        aws_secret_access_key=key["SecretAccessKey"], config=config)


def enforced(policy, see):
    with mock_aws():
        rds = client(policy)
        return set_initial_no_auth_action_count(0)(lambda: see(rds))()


def actions(statements):
    return {action.removeprefix("rds:") for one in statements for action in one["Action"]}


policy = json.load(open(sys.argv[2]))
wrong, judged = [], 0


def expect(rds, refused, those, why, **fields):
    global judged
    for action in sorted(those):
        judged += 1
        if is_refused(rds, action, **fields) != refused:
            wrong.append(f"{action} is {'let in' if refused else 'refused'}: {why}")


def whole(rds):
    named = actions(policy["Statement"])
    expect(rds, False, named, "the policy names it")
    expect(rds, True, set(rds.meta.service_model.operation_names) - named, "the policy does not name it")
    groups = {action for action in named if "ParameterGroup" in action and not action.startswith("Describe")}
    fields = {field: "company" for field in ABOUT if field.endswith("GroupName")}
    expect(rds, True, groups, "the group is somebody else's", **fields)


enforced(policy, whole)
for left_out in policy["Statement"]:
    rest = [one for one in policy["Statement"] if one is not left_out]
    lacking = actions([left_out]) - actions(rest)
    enforced(dict(policy, Statement=rest), lambda rds: expect(rds, True, lacking, f"{left_out['Sid']} is taken out"))
if wrong:
    sys.exit("\n".join(wrong))
print(f"{judged} calls judged")
