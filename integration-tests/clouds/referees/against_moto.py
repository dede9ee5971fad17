"""The same calls to the simulator (argv[1]) and to moto, which this starts at the port argv[2]: what comes of each must be
the same, or stand below with the reason why not. A disagreement that is gone fails, too."""
import json
import os
import subprocess
import sys
import time
import urllib.request

import boto3
import botocore.exceptions

# step -> (the simulator, moto, why)
NO_LIFE = "moto's instances have no states"
NOT_CHECKED = "moto checks nothing here; the service's documentation does"
KNOWN = {
    "the status after a creation": ("creating", "available", NO_LIFE),
    "an endpoint after a creation": (False, True, NO_LIFE),
    "a change while it changes": ("InvalidDBInstanceState", "done", NO_LIFE),
    "a pending class": (True, False, "moto applies everything at once"),
    "the licence": ("postgresql-license", "general-public-license", "moto's constant is that of MySQL"),
    "the default storage type": ("gp3", "gp2", "gp3 in botocore's model"),
    "storage of 5 GiB": ("InvalidParameterValue", "done", NOT_CHECKED),
    "storage of an unknown type": ("InvalidParameterValue", "done", NOT_CHECKED),
    "storage that shrinks": ("InvalidParameterValue", "done", NOT_CHECKED),
    "a reserved user": ("InvalidParameterValue", "done", NOT_CHECKED),
    "a short password": ("InvalidParameterValue", "done", NOT_CHECKED),
    "an unknown version": ("InvalidParameterCombination", "done", NOT_CHECKED),
    "an unknown class": ("InvalidParameterValue", "done", NOT_CHECKED),
    "an unknown authority": ("CertificateNotFound", "done", NOT_CHECKED),
    "36 days of backups": ("InvalidParameterValue", "done", NOT_CHECKED),
    "a zone for two zones": ("InvalidParameterCombination", "done", NOT_CHECKED),
    "neither skip nor final snapshot": ("InvalidParameterCombination", "done", NOT_CHECKED),
    "skip and final snapshot": ("InvalidParameterCombination", "done", NOT_CHECKED),
    "a cluster of aurora-iopt1": ("done", "500", "moto fails with HTTP 500"),
    "a member with a password": ("InvalidParameterCombination", "done", NOT_CHECKED),
    "capacity of 0.3": ("InvalidParameterValue", "done", NOT_CHECKED),
    "a group of an unknown family": ("InvalidParameterValue", "done", NOT_CHECKED),
    "an unknown parameter": ("InvalidParameterValue", "done", NOT_CHECKED),
    "a static parameter at once": ("InvalidParameterCombination", "done", NOT_CHECKED),
    "the versions": ("done", "500", "moto does not know the action"),
    "field PubliclyAccessible": (False, None, "moto leaves it out where nothing was asked for"),
    "a look at no group": ("DBParameterGroupNotFound", "done", "the error is in botocore's model; moto answers no groups"),
    "a cluster a second time": ("DBClusterAlreadyExistsFault", "DBClusterSnapshotAlreadyExistsFault",
                                "moto's code is not in botocore's model of the action"),
    "a change of no cluster": ("DBClusterNotFoundFault", "500", "moto fails with HTTP 500"),
}


def outcome(call):
    try:
        seen = call()
        return "done" if isinstance(seen, dict) else seen
    except botocore.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        return "500" if error.response["ResponseMetadata"]["HTTPStatusCode"] == 500 else code
    except botocore.parsers.ResponseParserError:
        return "500"


def scenario(rds, hold=lambda held: None):
    """step -> what came of it; the steps are for both the same. While `hold`, no state ends."""
    seen = {}

    def step(name, call):
        seen[name] = outcome(call)

    def settle(id="shop"):
        for _ in range(1200):
            it = rds.describe_db_instances(DBInstanceIdentifier=id)["DBInstances"][0]
            if it["DBInstanceStatus"] == "available":
                return it
            time.sleep(0.1)
        sys.exit(f"{id} is never available")

    shop = dict(DBInstanceIdentifier="shop")
    create = dict(shop, Engine="postgres", DBInstanceClass="db.t3.micro", MasterUsername="app_admin", DBName="orders",
                  MasterUserPassword="long-enough", AllocatedStorage=20, Tags=[{"Key": "a", "Value": "b"}])
    made = rds.create_db_instance(**create)["DBInstance"]
    arn = made["DBInstanceArn"]
    step("the status after a creation", lambda: made["DBInstanceStatus"])
    step("an endpoint after a creation", lambda: "Endpoint" in made)
    step("the licence", lambda: made["LicenseModel"])
    step("the default storage type", lambda: made["StorageType"])
    step("a second creation", lambda: rds.create_db_instance(**create))
    now = settle()
    for field in ("DBInstanceIdentifier", "DBInstanceClass", "Engine", "MasterUsername", "DBName", "AllocatedStorage",
                  "MultiAZ", "PubliclyAccessible", "StorageEncrypted", "DeletionProtection", "CopyTagsToSnapshot",
                  "AutoMinorVersionUpgrade", "TagList", "BackupRetentionPeriod", "IAMDatabaseAuthenticationEnabled"):
        step(f"field {field}", lambda: now.get(field))
    step("the port", lambda: now["Endpoint"]["Port"])
    other = dict(create, DBInstanceIdentifier="other")
    for name, fields in {
        "two hyphens": dict(DBInstanceIdentifier="a--b"),
        "a hyphen at the end": dict(DBInstanceIdentifier="a-"),
        "a digit first": dict(DBInstanceIdentifier="1a"),
        "64 letters": dict(DBInstanceIdentifier="a" * 64),
        "an unknown subnet group": dict(DBSubnetGroupName="nowhere"),
        "an unknown parameter group": dict(DBParameterGroupName="nothing"),
        "a short window": dict(PreferredMaintenanceWindow="mon:01:00-mon:01:10"),
        "a window of no form": dict(PreferredMaintenanceWindow="monday"),
        "windows that overlap": dict(PreferredMaintenanceWindow="mon:01:00-mon:02:00", PreferredBackupWindow="01:30-02:30"),
        "a limit below the size": dict(MaxAllocatedStorage=10),
        "storage of 5 GiB": dict(AllocatedStorage=5),
        "storage of an unknown type": dict(StorageType="zzz"),
        "a reserved user": dict(MasterUsername="rdsadmin"),
        "a short password": dict(MasterUserPassword="short"),
        "an unknown version": dict(EngineVersion="99.9"),
        "an unknown class": dict(DBInstanceClass="db.bogus"),
        "an unknown authority": dict(CACertificateIdentifier="bogus"),
        "36 days of backups": dict(BackupRetentionPeriod=36),
        "a zone for two zones": dict(MultiAZ=True, AvailabilityZone="eu-central-1a"),
        "a cluster that is not there": dict(DBClusterIdentifier="nobody", Engine="aurora-postgresql"),
    }.items():
        asked = dict(other, **fields)
        if "DBClusterIdentifier" in fields:
            asked = {key: asked[key] for key in ("DBInstanceIdentifier", "DBClusterIdentifier", "Engine")}
            asked["DBInstanceClass"] = "db.r6g.large"
        step(name, lambda: rds.create_db_instance(**asked))
        try:
            rds.delete_db_instance(DBInstanceIdentifier=asked["DBInstanceIdentifier"], SkipFinalSnapshot=True)
        except botocore.exceptions.ClientError:
            pass
    hold(True)
    step("storage that grows", lambda: rds.modify_db_instance(**shop, AllocatedStorage=40, ApplyImmediately=True))
    step("a change while it changes", lambda: rds.modify_db_instance(**shop, MultiAZ=True, ApplyImmediately=True))
    hold(False)
    settle()
    step("storage that shrinks", lambda: rds.modify_db_instance(**shop, AllocatedStorage=20, ApplyImmediately=True))
    step("a pending class", lambda: "DBInstanceClass" in rds.modify_db_instance(
        **shop, DBInstanceClass="db.t3.large")["DBInstance"].get("PendingModifiedValues", {}))
    settle()
    for name, call in {
        "a change of nobody": lambda: rds.modify_db_instance(DBInstanceIdentifier="nobody"),
        "a look at nobody": lambda: rds.describe_db_instances(DBInstanceIdentifier="nobody"),
        "a reboot of nobody": lambda: rds.reboot_db_instance(DBInstanceIdentifier="nobody"),
        "the end of nobody": lambda: rds.delete_db_instance(DBInstanceIdentifier="nobody", SkipFinalSnapshot=True),
        "more tags": lambda: rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "c", "Value": "d"}]),
        "fewer tags": lambda: rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"]),
        "the tags": lambda: rds.list_tags_for_resource(ResourceName=arn)["TagList"],
        "protection": lambda: rds.modify_db_instance(**shop, DeletionProtection=True),
        "the end of what is protected": lambda: rds.delete_db_instance(**shop, SkipFinalSnapshot=True),
        "no protection": lambda: rds.modify_db_instance(**shop, DeletionProtection=False),
        "a snapshot that is not there": lambda: rds.describe_db_snapshots(DBSnapshotIdentifier="nobody"),
    }.items():
        step(name, call)
    groups(rds, step)
    clusters(rds, step, settle)
    for name, fields in {"skip and final snapshot": dict(SkipFinalSnapshot=True, FinalDBSnapshotIdentifier="x"),
                         "neither skip nor final snapshot": {}}.items():
        made = dict(create, DBInstanceIdentifier="gone-" + str(len(seen)))
        rds.create_db_instance(**made)
        settle(made["DBInstanceIdentifier"])
        step(name, lambda: rds.delete_db_instance(DBInstanceIdentifier=made["DBInstanceIdentifier"], **fields))
    step("a final snapshot", lambda: rds.delete_db_instance(**shop, FinalDBSnapshotIdentifier="last"))
    for _ in range(600):
        if outcome(lambda: rds.describe_db_instances(**shop)) == "DBInstanceNotFound":
            break
        time.sleep(0.1)
    step("it is gone", lambda: rds.describe_db_instances(**shop))
    step("its snapshot", lambda: rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"][0]["Status"])
    step("the versions", lambda: rds.describe_db_engine_versions(Engine="postgres"))
    return seen


def groups(rds, step):
    own = dict(DBParameterGroupName="own")
    create = dict(own, DBParameterGroupFamily="postgres15", Description="of a referee")
    one = lambda name, value, method: [{"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}]
    for name, call in {
        "a group": lambda: rds.create_db_parameter_group(**create),
        "a group a second time": lambda: rds.create_db_parameter_group(**create),
        "a group of an unknown family": lambda: rds.create_db_parameter_group(
            **dict(create, DBParameterGroupName="odd", DBParameterGroupFamily="nonsense1")),
        "a parameter": lambda: rds.modify_db_parameter_group(**own, Parameters=one("work_mem", "4096", "immediate")),
        "an unknown parameter": lambda: rds.modify_db_parameter_group(
            **own, Parameters=one("work_memory", "1", "immediate")),
        "a static parameter at once": lambda: rds.modify_db_parameter_group(
            **own, Parameters=one("max_connections", "60", "immediate")),
        "a parameter of no group": lambda: rds.modify_db_parameter_group(
            DBParameterGroupName="nobody", Parameters=one("work_mem", "4096", "immediate")),
        "a look at no group": lambda: rds.describe_db_parameter_groups(DBParameterGroupName="nobody"),
        "the family": lambda: rds.describe_db_parameter_groups(**own)["DBParameterGroups"][0]["DBParameterGroupFamily"],
        "the end of a group": lambda: rds.delete_db_parameter_group(**own),
        "the end of no group": lambda: rds.delete_db_parameter_group(**own),
    }.items():
        step(name, call)


def clusters(rds, step, settle):
    own = dict(DBClusterIdentifier="cluster")
    create = dict(own, Engine="aurora-postgresql", MasterUsername="app_admin", MasterUserPassword="long-enough",
                  ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 4}, DeletionProtection=True)
    member = dict(own, DBInstanceIdentifier="member", Engine="aurora-postgresql", DBInstanceClass="db.r6g.large")

    def ready():
        for _ in range(600):
            it = rds.describe_db_clusters(**own)["DBClusters"][0]
            if it["Status"] == "available":
                return it
            time.sleep(0.1)
        sys.exit("the cluster is never available")

    step("a cluster", lambda: rds.create_db_cluster(**create))
    ready()
    step("a cluster a second time", lambda: rds.create_db_cluster(**create))
    step("a cluster with a short password", lambda: rds.create_db_cluster(
        **dict(create, DBClusterIdentifier="short", MasterUserPassword="short")))
    step("a cluster of aurora-iopt1", lambda: rds.create_db_cluster(
        **dict(create, DBClusterIdentifier="fast", StorageType="aurora-iopt1")))
    step("capacity", lambda: ready()["ServerlessV2ScalingConfiguration"])
    step("capacity of 0.3", lambda: rds.modify_db_cluster(
        **own, ServerlessV2ScalingConfiguration={"MinCapacity": 0.3, "MaxCapacity": 4}))
    step("a look at no cluster", lambda: rds.describe_db_clusters(DBClusterIdentifier="nobody"))
    step("a change of no cluster", lambda: rds.modify_db_cluster(DBClusterIdentifier="nobody"))
    step("a member", lambda: rds.create_db_instance(**member))
    settle("member")
    step("a member with a password", lambda: rds.create_db_instance(
        **dict(member, DBInstanceIdentifier="odd", MasterUserPassword="long-enough")))
    step("the writer", lambda: ready()["DBClusterMembers"][0]["IsClusterWriter"])
    step("the end of a protected cluster", lambda: rds.delete_db_cluster(**own, SkipFinalSnapshot=True))
    rds.modify_db_cluster(**own, DeletionProtection=False)
    step("the end of a cluster with a member", lambda: rds.delete_db_cluster(**own, SkipFinalSnapshot=True))


def client(endpoint):
    config = botocore.config.Config(retries={"total_max_attempts": 1})
    return boto3.client("rds", endpoint_url=endpoint, region_name="eu-central-1", aws_access_key_id="key",
                        aws_secret_access_key="secret", config=config)


port = sys.argv[2]
# It ends with this process: it reads from a pipe whose other end only we hold.
watched = "import os,sys,threading;threading.Thread(target=lambda:(sys.stdin.read(),os._exit(0)),daemon=True).start();" \
          "from moto.server import main;main(['-H','127.0.0.1','-p',sys.argv[1]])"
moto = subprocess.Popen([sys.executable, "-c", watched, port], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL, env={**os.environ, "AWS_ACCESS_KEY_ID": "k"})
for _ in range(600):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/data.json", timeout=5).read()
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit("moto does not start")

def hold(held):
    order = urllib.request.Request(sys.argv[1] + "/_sim/clock", json.dumps({"hold": held}).encode(), method="POST")
    urllib.request.urlopen(order, timeout=60).read()


ours, theirs = scenario(client(sys.argv[1]), hold), scenario(client(f"http://127.0.0.1:{port}"))
moto.kill()
wrong = []
for name, seen in ours.items():
    expected = KNOWN.get(name)
    if expected is None and seen != theirs[name]:
        wrong.append(f"{name}: {seen!r}, moto: {theirs[name]!r}")
    if expected is not None and (seen, theirs[name]) != expected[:2]:
        wrong.append(f"{name}: {seen!r}, moto: {theirs[name]!r}; expected {expected[0]!r} and {expected[1]!r}")
wrong += [f"{name}: no such step" for name in KNOWN if name not in ours]
print(f"{len(ours)} outcomes compared, {len(KNOWN)} known to differ")
sys.exit("\n".join(wrong) if wrong or len(ours) < 70 else 0)
