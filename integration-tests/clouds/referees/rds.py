"""A scenario through boto3, at the endpoint argv[1]. Every answer must be in botocore's model of RDS: no element that it
does not know, numbers and booleans as such, and errors by codes of the operation or common to all."""
import sys
import xml.etree.ElementTree as ET

import boto3
import botocore.exceptions

COMMON = {"InvalidParameterValue", "InvalidParameterCombination", "MissingParameter", "Throttling"}
rds = boto3.client("rds", endpoint_url=sys.argv[1], region_name="eu-central-1",
                   aws_access_key_id="key", aws_secret_access_key="secret")
wrong, judged = [], 0


def walk(element, shape, path):
    tag = lambda child: child.tag.split("}")[-1]
    if shape.type_name == "structure":
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for child in element:
            if tag(child) not in known:
                wrong.append(f"{path}/{tag(child)} is not in the model")
            else:
                walk(child, known[tag(child)], f"{path}/{tag(child)}")
    elif shape.type_name == "list":
        for child in element:
            if tag(child) != shape.member.serialization.get("name", "member"):
                wrong.append(f"{path}: a member is named {tag(child)}")
            walk(child, shape.member, f"{path}[]")
    elif shape.type_name in ("integer", "long") and not element.text.lstrip("-").isdigit():
        wrong.append(f"{path} is no number: {element.text}")
    elif shape.type_name == "boolean" and element.text not in ("true", "false"):
        wrong.append(f"{path} is no boolean: {element.text}")


def judge(http_response, parsed, model, **_):
    global judged
    judged += 1
    if http_response.status_code < 300:
        if model.output_shape is not None:
            walk(ET.fromstring(http_response.content)[0], model.output_shape, model.name)
        return
    code, statuses = parsed["Error"]["Code"], {}
    for shape in model.error_shapes:
        statuses[shape.error_code] = shape.metadata["error"]["httpStatusCode"]
    if code not in COMMON and statuses.get(code) != http_response.status_code:
        wrong.append(f"{model.name}: {code} with HTTP {http_response.status_code} is not in the model")


def refused(code, call, **fields):
    try:
        call(**fields)
        wrong.append(f"{call.__name__} should be refused with {code}")
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != code:
            wrong.append(f"{call.__name__}: {error.response['Error']['Code']} in place of {code}")


def wait(waiter):
    rds.get_waiter(waiter).wait(**shop, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


rds.meta.events.register("after-call.rds", judge)
shop = {"DBInstanceIdentifier": "boto-shop"}
create = dict(shop, Engine="postgres", DBInstanceClass="db.t3.micro", MasterUsername="app_admin", DBName="shop",
              MasterUserPassword="long-enough", EngineVersion="15", AllocatedStorage=20,
              VpcSecurityGroupIds=["sg-1"], Tags=[{"Key": "a", "Value": "b"}])
arn = rds.create_db_instance(**create)["DBInstance"]["DBInstanceArn"]
refused("DBInstanceAlreadyExists", rds.create_db_instance, **create)
refused("DBSubnetGroupNotFoundFault", rds.create_db_instance,
        **dict(create, DBInstanceIdentifier="other", DBSubnetGroupName="nowhere"))
wait("db_instance_available")
rds.modify_db_instance(**shop, ApplyImmediately=True, MasterUserPassword="other-password", AllocatedStorage=30)
refused("InvalidDBInstanceState", rds.reboot_db_instance, **shop)
wait("db_instance_available")
rds.reboot_db_instance(**shop)
wait("db_instance_available")
rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "c", "Value": "d"}])
rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"])
if rds.list_tags_for_resource(ResourceName=arn)["TagList"] != [{"Key": "c", "Value": "d"}]:
    wrong.append("the tags are not those that were set")
if not rds.describe_db_engine_versions(Engine="postgres", EngineVersion="15", DefaultOnly=True)["DBEngineVersions"]:
    wrong.append("no default version of 15")
refused("InvalidParameterCombination", rds.delete_db_instance, **shop)
refused("DBInstanceNotFound", rds.delete_db_instance, DBInstanceIdentifier="nobody", SkipFinalSnapshot=True)
rds.delete_db_instance(**shop, FinalDBSnapshotIdentifier="final")
wait("db_instance_deleted")
rds.describe_db_snapshots(DBSnapshotIdentifier="final")
refused("DBSnapshotNotFound", rds.describe_db_snapshots, DBSnapshotIdentifier="nobody")
print(f"{judged} answers judged")
sys.exit("\n".join(wrong) if wrong or judged < 20 else 0)
