"""The judge sees what is wrong: each of these answers is, in one place."""
import sys

import boto3

from judge import Judge

rds = boto3.client("rds", endpoint_url=sys.argv[1], region_name="eu-central-1", aws_access_key_id="key",
                   aws_secret_access_key="secret")
model = rds.meta.service_model.operation_model("DescribeDBInstances")


class Answer:
    def __init__(self, status, content=""):
        self.status_code, self.content = status, content


def instance(inner, result="DescribeDBInstancesResult"):
    return Answer(200, f"<R><{result}><DBInstances><DBInstance>{inner}</DBInstance></DBInstances></{result}></R>")


def wrong(answer, parsed=None):
    judge = Judge()
    judge.answer(answer, parsed or {}, model)
    return judge.wrong


right = "<DBInstanceIdentifier>a</DBInstanceIdentifier><AllocatedStorage>20</AllocatedStorage><MultiAZ>true</MultiAZ>"
assert wrong(instance(right)) == [], wrong(instance(right))
for answer in (instance("<Unknown>a</Unknown>"),
               instance("<AllocatedStorage>much</AllocatedStorage>"),
               instance("<MultiAZ>yes</MultiAZ>"),
               instance("<InstanceCreateTime>today</InstanceCreateTime>"),
               instance("<Engine>a</Engine><Engine>b</Engine>"),
               instance(right, "Result"),
               instance("<TagList><Label><Key>a</Key></Label></TagList>")):
    assert len(wrong(answer)) >= 1, answer.content
error = lambda code: {"Error": {"Code": code}}
assert wrong(Answer(404), error("DBInstanceNotFound")) == []
assert wrong(Answer(400), error("DBInstanceNotFound")), "another status"
assert wrong(Answer(404), error("DBInstanceNotFoundFault")), "another code"
print("all seen")
