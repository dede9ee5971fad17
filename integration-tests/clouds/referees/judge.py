"""Judges every answer that a boto3 client gets by botocore's model: no element that it does not know, what it requires is
there, numbers, booleans, times and enumerated words as such, errors by codes of the operation or common to all."""
import xml.etree.ElementTree as ET

import botocore.exceptions

# Common to all operations (API reference, "Common Error Types", and what the service is known to answer).
COMMON = {"InvalidParameterValue": 400, "InvalidParameterCombination": 400, "MissingParameter": 400,
          "Throttling": 400, "InvalidAction": 400, "ExpiredToken": 403, "MissingAuthenticationToken": 403,
          "InvalidClientTokenId": 403, "ValidationError": 400}


class Judge:
    def __init__(self, *clients):
        self.wrong, self.judged, self.operations = [], 0, set()
        for client in clients:
            client.meta.events.register(f"after-call.{client.meta.service_model.service_name}", self.answer)

    def answer(self, http_response, parsed, model, **_):
        self.judged += 1
        self.operations.add(model.name)
        if http_response.status_code < 300:
            if model.output_shape is not None:
                root = ET.fromstring(http_response.content)
                wrapper = model.output_shape.serialization.get("resultWrapper", f"{model.name}Result")
                if root[0].tag.split("}")[-1] != wrapper:
                    self.wrong.append(f"{model.name}: the result is named {root[0].tag}")
                self.walk(root[0], model.output_shape, model.name)
            return
        code = parsed["Error"]["Code"]
        statuses = {shape.error_code: shape.metadata["error"]["httpStatusCode"] for shape in model.error_shapes}
        if {**COMMON, **statuses}.get(code) != http_response.status_code:
            self.wrong.append(f"{model.name}: {code} with HTTP {http_response.status_code} is not in the model")

    def walk(self, element, shape, path):
        kind, text = shape.type_name, element.text or ""
        names = [child.tag.split("}")[-1] for child in element]
        if kind == "structure":
            known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
            for name, child in zip(names, element):
                if name not in known:
                    self.wrong.append(f"{path}/{name} is not in the model")
                else:
                    self.walk(child, known[name], f"{path}/{name}")
            for name in shape.metadata.get("required", []):
                if shape.members[name].serialization.get("name", name) not in names:
                    self.wrong.append(f"{path}/{name} is required")
            for name in {name for name in names if names.count(name) > 1}:
                self.wrong.append(f"{path}/{name} is there more than once")
        elif kind == "list":
            for name, child in zip(names, element):
                if name != shape.member.serialization.get("name", "member"):
                    self.wrong.append(f"{path}: a member is named {name}")
                self.walk(child, shape.member, f"{path}[]")
        elif kind in ("integer", "long"):
            if not text.lstrip("-").isdigit():
                self.wrong.append(f"{path} is no number: {text}")
        elif kind in ("float", "double"):
            try:
                float(text)
            except ValueError:
                self.wrong.append(f"{path} is no number: {text}")
        elif kind == "boolean":
            if text not in ("true", "false"):
                self.wrong.append(f"{path} is no boolean: {text}")
        elif kind == "timestamp":
            if not (text[4:5] == "-" and text.endswith("Z") and "T" in text):
                self.wrong.append(f"{path} is no time: {text}")
        elif kind == "string" and getattr(shape, "enum", None) and text not in shape.enum:
            self.wrong.append(f"{path} is none of {shape.enum}: {text}")

    def expect(self, holds, what):
        if not holds:
            self.wrong.append(what)

    def refused(self, code, call, **fields):
        try:
            call(**fields)
            self.wrong.append(f"{call.__name__} should be refused with {code}")
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != code:
                self.wrong.append(f"{call.__name__}: {error.response['Error']['Code']} in place of {code}: "
                                  f"{error.response['Error']['Message']}")
