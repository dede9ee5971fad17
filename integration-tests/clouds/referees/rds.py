"""Scenarios through boto3, at the endpoint argv[1], each answer judged by botocore's model (judge.py). Ends with 0 if all
were right and every action that the simulator knows was among them."""
import json
import re
import sys
import time
import urllib.request
from pathlib import Path

import boto3

from judge import Judge

known = dict(region_name="eu-central-1", aws_access_key_id="key", aws_secret_access_key="secret")
rds = boto3.client("rds", endpoint_url=sys.argv[1], **known)
sts = boto3.client("sts", endpoint_url=sys.argv[1], **known)
judge = Judge(rds, sts)
refused, expect = judge.refused, judge.expect


def hold(held):
    """While the clock is held, no state ends."""
    order = urllib.request.Request(sys.argv[1] + "/_sim/clock", json.dumps({"hold": held}).encode(), method="POST")
    urllib.request.urlopen(order, timeout=60).read()


def until(what, holds):
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.1)
    sys.exit(f"never: {what}")


def status(id):
    return rds.describe_db_instances(DBInstanceIdentifier=id)["DBInstances"][0]["DBInstanceStatus"]


def available(id):
    until(f"{id} is available", lambda: status(id) == "available")


def cluster_available(id):
    until(f"{id} is available",
          lambda: rds.describe_db_clusters(DBClusterIdentifier=id)["DBClusters"][0]["Status"] == "available")


def gone(list, **fields):
    def holds():
        try:
            list(**fields)
        except (rds.exceptions.DBInstanceNotFoundFault, rds.exceptions.DBClusterNotFoundFault):
            return True
    until(f"{fields} is gone", holds)


def instance():
    shop = {"DBInstanceIdentifier": "boto-shop"}
    create = dict(shop, Engine="postgres", DBInstanceClass="db.t3.micro", MasterUsername="app_admin", DBName="shop",
                  MasterUserPassword="long-enough", EngineVersion="15", AllocatedStorage=20, MaxAllocatedStorage=100,
                  VpcSecurityGroupIds=["sg-1"], Tags=[{"Key": "a", "Value": "b"}], StorageEncrypted=True,
                  MonitoringInterval=60, MonitoringRoleArn="arn:aws:iam::123456789012:role/m", CopyTagsToSnapshot=True,
                  EnablePerformanceInsights=True, PerformanceInsightsRetentionPeriod=7,
                  PreferredBackupWindow="01:00-02:00", PreferredMaintenanceWindow="Mon:03:00-Mon:04:00",
                  CACertificateIdentifier="rds-ca-rsa4096-g1", BackupRetentionPeriod=7)
    seen = rds.create_db_instance(**create)["DBInstance"]
    arn = seen["DBInstanceArn"]
    expect("Endpoint" not in seen and seen["PreferredMaintenanceWindow"] == "mon:03:00-mon:04:00", "creation")
    refused("DBInstanceAlreadyExists", rds.create_db_instance, **create)
    other = dict(create, DBInstanceIdentifier="other")
    for code, fields in [
            ("DBSubnetGroupNotFoundFault", dict(DBSubnetGroupName="nowhere")),
            ("DBParameterGroupNotFound", dict(DBParameterGroupName="nothing")),
            ("CertificateNotFound", dict(CACertificateIdentifier="mine")),
            ("DBClusterNotFoundFault", dict(DBClusterIdentifier="nobody")),
            ("InvalidParameterValue", dict(DBInstanceClass="db.bogus")),
            ("InvalidParameterCombination", dict(EngineVersion="99.9"))]:
        if "DBClusterIdentifier" in fields:
            refused(code, rds.create_db_instance, DBInstanceIdentifier="other", Engine="aurora-postgresql",
                    DBInstanceClass="db.r6g.large", **fields)
        else:
            refused(code, rds.create_db_instance, **dict(other, **fields))
    rds.get_waiter("db_instance_available").wait(**shop, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    hold(True)
    rds.modify_db_instance(**shop, ApplyImmediately=True, MasterUserPassword="other-password", AllocatedStorage=30)
    refused("InvalidDBInstanceState", rds.reboot_db_instance, **shop)
    hold(False)
    available("boto-shop")
    later = rds.modify_db_instance(**shop, DBInstanceClass="db.t3.large", MultiAZ=True,
                                   CACertificateIdentifier="rds-ca-rsa2048-g1")["DBInstance"]
    expect(later["PendingModifiedValues"]["DBInstanceClass"] == "db.t3.large", "pending values")
    refused("InvalidParameterValue", rds.modify_db_instance, **shop, AllocatedStorage=20)
    rds.reboot_db_instance(**shop)
    available("boto-shop")
    tags(arn)
    refused("DBInstanceNotFound", rds.list_tags_for_resource, ResourceName=arn + "x")
    refused("InvalidParameterCombination", rds.delete_db_instance, **shop)
    refused("DBInstanceNotFound", rds.delete_db_instance, DBInstanceIdentifier="nobody", SkipFinalSnapshot=True)
    refused("DBInstanceNotFound", rds.modify_db_instance, DBInstanceIdentifier="nobody")
    pages = rds.get_paginator("describe_db_instances").paginate(PaginationConfig={"PageSize": 20})
    expect([it["DBInstanceIdentifier"] for page in pages for it in page["DBInstances"]] == ["boto-shop"], "pages")
    rds.delete_db_instance(**shop, FinalDBSnapshotIdentifier="final")
    gone(rds.describe_db_instances, **shop)
    snapshot = rds.describe_db_snapshots(DBSnapshotIdentifier="final")["DBSnapshots"][0]
    expect(snapshot["Status"] == "available" and snapshot["TagList"], "the final snapshot")
    refused("DBSnapshotNotFound", rds.describe_db_snapshots, DBSnapshotIdentifier="nobody")
    tags(snapshot["DBSnapshotArn"])
    rds.delete_db_snapshot(DBSnapshotIdentifier="final")
    refused("DBSnapshotNotFound", rds.delete_db_snapshot, DBSnapshotIdentifier="final")


def tags(arn):
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "c", "Value": "d"}])
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"])
    expect(rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "c", "Value": "d"}], f"tags of {arn}")
    refused("InvalidParameterValue", rds.add_tags_to_resource, ResourceName=arn,
            Tags=[{"Key": f"k{at}", "Value": ""} for at in range(50)])


def groups(kind, family):
    """The same of instances (`db`) and of clusters (`db_cluster`)."""
    call = lambda action, what="parameter_group": getattr(rds, f"{action}_{kind}_{what}")
    name = "DBParameterGroupName" if kind == "db" else "DBClusterParameterGroupName"
    own = {name: "boto-own"}
    create = dict(own, DBParameterGroupFamily=family, Description="of a referee", Tags=[{"Key": "a", "Value": "b"}])
    group = call("create")(**create)[name.removesuffix("Name")]
    refused("DBParameterGroupAlreadyExists", call("create"), **create)
    refused("InvalidParameterValue", call("create"), **dict(create, DBParameterGroupFamily="mysql8.0"))
    one = lambda parameter, value, method: [{"ParameterName": parameter, "ParameterValue": value, "ApplyMethod": method}]
    call("modify")(**own, Parameters=one("work_mem", "4096", "immediate"))
    call("modify")(**own, Parameters=one("max_connections", "60", "pending-reboot"))
    refused("InvalidParameterCombination", call("modify"), **own, Parameters=one("max_connections", "60", "immediate"))
    refused("InvalidParameterValue", call("modify"), **own, Parameters=one("work_memory", "1", "immediate"))
    refused("DBParameterGroupNotFound", call("modify"), **{name: "nobody"}, Parameters=one("work_mem", "1", "immediate"))
    refused("InvalidDBParameterGroupState", call("modify"), **{name: f"default.{family}"},
            Parameters=one("work_mem", "4096", "immediate"))
    pages = rds.get_paginator(f"describe_{kind}_parameters").paginate(**own)
    all = {it["ParameterName"]: it for page in pages for it in page["Parameters"]}
    expect(len(all) > 250 and all["work_mem"]["Source"] == "user" and all["work_mem"]["ApplyType"] == "dynamic"
           and all["max_connections"]["ApplyType"] == "static", "parameters")
    call("reset")(**own, Parameters=[{"ParameterName": "work_mem", "ApplyMethod": "immediate"}])
    call("reset")(**own, ResetAllParameters=True)
    expect(not call("describe", "parameters")(**own, Source="user")["Parameters"], "a reset group has no values")
    expect(call("describe", "parameter_groups")(**own), "the group is listed")
    call("describe", "parameter_groups")()
    tags(group[name.removesuffix("Name") + "Arn"])
    refused("InvalidDBParameterGroupState", call("delete"), **{name: f"default.{family}"})
    call("delete")(**own)
    refused("DBParameterGroupNotFound", call("describe", "parameter_groups"), **own)


def cluster():
    shop = {"DBClusterIdentifier": "boto-cluster"}
    create = dict(shop, Engine="aurora-postgresql", EngineVersion="15", MasterUsername="app_admin", DatabaseName="shop",
                  MasterUserPassword="long-enough", StorageType="aurora-iopt1", DeletionProtection=True,
                  ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 8}, StorageEncrypted=True,
                  Tags=[{"Key": "a", "Value": "b"}], VpcSecurityGroupIds=["sg-1"], CopyTagsToSnapshot=True,
                  AvailabilityZones=["eu-central-1a"])
    arn = rds.create_db_cluster(**create)["DBCluster"]["DBClusterArn"]
    refused("DBClusterAlreadyExistsFault", rds.create_db_cluster, **create)
    other = dict(create, DBClusterIdentifier="other")
    for code, fields in [("DBSubnetGroupNotFoundFault", dict(DBSubnetGroupName="nowhere")),
                         ("DBClusterParameterGroupNotFound", dict(DBClusterParameterGroupName="nothing")),
                         ("StorageTypeNotSupported", dict(StorageType="gp3")),
                         ("InvalidParameterValue", dict(MasterUserPassword="0" * 42))]:
        refused(code, rds.create_db_cluster, **dict(other, **fields))
    cluster_available("boto-cluster")
    member = dict(shop, Engine="aurora-postgresql", DBInstanceClass="db.serverless")
    rds.create_db_instance(DBInstanceIdentifier="one", **member)
    available("one")  # and the writer, whatever the other one does
    rds.create_db_instance(DBInstanceIdentifier="two", PromotionTier=2, **member)
    refused("InvalidParameterCombination", rds.create_db_instance, DBInstanceIdentifier="three",
            MasterUserPassword="long-enough", **member)
    available("two")
    hold(True)
    rds.modify_db_cluster(**shop, ApplyImmediately=True, MasterUserPassword="other-password")
    refused("InvalidDBClusterStateFault", rds.modify_db_cluster, **shop, BackupRetentionPeriod=5)
    hold(False)
    cluster_available("boto-cluster")
    refused("DBClusterNotFoundFault", rds.modify_db_cluster, DBClusterIdentifier="nobody")
    rds.failover_db_cluster(**shop)
    tags(arn)
    seen = rds.describe_db_clusters(**shop)["DBClusters"][0]
    expect([it["DBInstanceIdentifier"] for it in seen["DBClusterMembers"] if it["IsClusterWriter"]] == ["two"], "failover")
    expect(seen["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 8.0}, "capacity")
    refused("InvalidParameterCombination", rds.delete_db_cluster, **shop, SkipFinalSnapshot=True)
    rds.modify_db_cluster(**shop, DeletionProtection=False)
    refused("InvalidDBClusterStateFault", rds.delete_db_cluster, **shop, SkipFinalSnapshot=True)
    for id in ("one", "two"):
        rds.delete_db_instance(DBInstanceIdentifier=id, SkipFinalSnapshot=True)
        gone(rds.describe_db_instances, DBInstanceIdentifier=id)
    rds.delete_db_cluster(**shop, FinalDBSnapshotIdentifier="final")
    gone(rds.describe_db_clusters, **shop)
    snapshot = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier="final")["DBClusterSnapshots"][0]
    tags(snapshot["DBClusterSnapshotArn"])
    refused("DBClusterSnapshotNotFoundFault", rds.describe_db_cluster_snapshots, DBClusterSnapshotIdentifier="nobody")
    rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="final")


def lists():
    expect(rds.describe_db_engine_versions(Engine="postgres", EngineVersion="15", DefaultOnly=True)["DBEngineVersions"],
           "no default version of 15")
    rds.describe_db_engine_versions()
    rds.describe_db_subnet_groups()
    refused("DBSubnetGroupNotFoundFault", rds.describe_db_subnet_groups, DBSubnetGroupName="nobody")
    rds.describe_certificates()
    refused("CertificateNotFound", rds.describe_certificates, CertificateIdentifier="mine")
    rds.describe_engine_default_parameters(DBParameterGroupFamily="postgres15")
    rds.describe_engine_default_cluster_parameters(DBParameterGroupFamily="aurora-postgresql15")
    refused("InvalidParameterValue", rds.describe_db_instances, Filters=[{"Name": "speed", "Values": ["1"]}])
    rds.describe_db_instances(Filters=[{"Name": "engine", "Values": ["postgres"]}])


def roles():
    role = dict(RoleArn="arn:aws:iam::210987654321:role/operator", RoleSessionName="referee")
    sts.assume_role_with_web_identity(WebIdentityToken="eyJhbGciOiJSUzI1NiJ9.e30.x", **role)
    credentials = sts.assume_role(**role)["Credentials"]
    session = boto3.client("sts", endpoint_url=sys.argv[1], region_name="eu-central-1",
                           aws_access_key_id=credentials["AccessKeyId"], aws_session_token=credentials["SessionToken"],
                           aws_secret_access_key=credentials["SecretAccessKey"])
    expect(session.get_caller_identity()["Account"] == "210987654321", "the role's account")
    sts.get_caller_identity()


instance()
groups("db", "postgres15")
groups("db_cluster", "aurora-postgresql15")
cluster()
lists()
roles()

# What the simulator knows, from its source: an action that no scenario calls was not judged.
sources = Path(__file__).parent.parent / "src/rds"
actions = "".join((sources / name).read_text() for name in ("actions/mod.rs", "sts.rs"))
names = set(re.findall(r'"((?:Create|Describe|Modify|Delete|Reboot|Reset|Failover|List|Add|Remove|Assume|Get)[A-Za-z]+)"', actions))
model = set(rds.meta.service_model.operation_names) | set(sts.meta.service_model.operation_names)
judge.wrong += [f"no scenario calls {name}" for name in sorted((names & model) - judge.operations)]
print(f"{judge.judged} answers of {len(judge.operations)} actions judged")
sys.exit("\n".join(judge.wrong) if judge.wrong or judge.judged < 100 else 0)
