//! Every field of a kind that takes text, read from the generated definitions.

use integration_tests::operator::project_file;
use serde_json::{Map, Value, json};

/// A server parameter that any server takes, with any value: the value is what is judged.
pub const SETTING: &str = "hostile.setting";

/// A way from the spec to a text.
#[derive(Clone, Debug)]
pub struct Field {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    /// A key of a mapping, with what else that mapping must have.
    Key(String, Map<String, Value>),
    /// An item of a list.
    Item,
    /// The name in a map with free keys.
    Name,
    /// The value in a map with free keys.
    Value,
}

impl Field {
    /// All fields of `spec` in the definition of these objects.
    pub fn all(plural: &str) -> Vec<Self> {
        let text = std::fs::read_to_string(project_file(&format!("crds/{plural}.yaml"))).unwrap();
        let definition: Value = serde_saphyr::from_str(&text).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let mut found = Vec::new();
        walk(schema, &mut Vec::new(), &mut found);
        found
    }

    /// The path as the API server writes it, without items and names of a map.
    pub fn path(&self) -> String {
        self.steps.iter().fold("spec".to_owned(), |path, step| match step {
            Step::Key(key, _) => format!("{path}.{key}"),
            Step::Item => format!("{path}[0]"),
            Step::Name | Step::Value => path,
        })
    }

    /// For people, with what kind of place it is.
    pub fn title(&self) -> String {
        match self.steps.last() {
            Some(Step::Name) => format!("{}, a name", self.path()),
            Some(Step::Value) => format!("{}, a value", self.path()),
            _ => self.path(),
        }
    }

    /// A spec with this text in the field, and nothing that is not needed besides.
    pub fn spec_with(&self, text: &str) -> Value {
        build(&self.steps, text)
    }
}

/// What required fields get that are not the one in question.
fn sample(field: &str) -> Value {
    match field {
        "credentialsSecret" => json!("hostile-credentials"),
        "serverRef" => json!({"name": "main"}),
        "name" => json!("main"),
        "startIp" | "endIp" => json!("192.0.2.1"),
        "weekday" => json!("Mon"),
        "starttime" => json!("03:00"),
        other => panic!("{other} is a new required field: give it a sample"),
    }
}

fn walk(schema: &Value, steps: &mut Vec<Step>, found: &mut Vec<Field>) {
    let mut descend = |step: Step, schema: &Value| {
        steps.push(step);
        walk(schema, steps, found);
        steps.pop();
    };
    match schema["type"].as_str() {
        Some("string") => found.push(Field { steps: steps.clone() }),
        Some("array") => descend(Step::Item, &schema["items"]),
        Some("object") => {
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let others = required.filter(|other| other != name);
                let others = others.map(|other| (other.to_owned(), sample(other))).collect();
                descend(Step::Key(name.clone(), others), inner);
            }
            if schema["additionalProperties"].is_object() {
                descend(Step::Value, &schema["additionalProperties"]);
                steps.push(Step::Name);
                found.push(Field { steps: steps.clone() });
                steps.pop();
            }
        }
        Some("integer" | "boolean" | "number") => {}
        // A value of more than one type: text is one of them.
        None if schema["x-kubernetes-preserve-unknown-fields"] == true => {
            found.push(Field { steps: steps.clone() })
        }
        other => panic!("{steps:?}: {other:?} is a new type: say how text gets into it"),
    }
}

fn build(steps: &[Step], text: &str) -> Value {
    let Some((step, rest)) = steps.split_first() else { return json!(text) };
    match step {
        Step::Key(key, others) => {
            let mut map = others.clone();
            map.insert(key.clone(), build(rest, text));
            Value::Object(map)
        }
        Step::Item => json!([build(rest, text)]),
        Step::Value => json!({SETTING: build(rest, text)}),
        Step::Name => json!({text: "1"}),
    }
}
