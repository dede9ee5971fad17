//! The query protocol: a form goes in, XML comes out (botocore: protocol `query`, 2014-10-31).

use std::collections::BTreeMap;

const NAMESPACE: &str = "http://rds.amazonaws.com/doc/2014-10-31/";

/// The fields of a request.
pub(super) struct Form(pub(super) BTreeMap<String, String>);

/// An error as the service answers it: HTTP status, code, message.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) u16, pub(super) &'static str, pub(super) String);

impl Form {
    pub(super) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| {
            Refusal(400, "MissingParameter", format!("The request must contain the parameter {name}."))
        })
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u32>, Refusal> {
        let wrong = |_| Refusal(400, "InvalidParameterValue", format!("{name} is not a number."));
        self.get(name).map(|value| value.parse().map_err(wrong)).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value == "true")
    }

    /// `List.Member.1`, `List.Member.2`, …
    pub(super) fn list(&self, list: &str) -> Vec<String> {
        (1..).map_while(|at| self.get(&format!("{list}.{at}"))).map(str::to_owned).collect()
    }

    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        (1..)
            .map_while(|at| {
                let key = self.get(&format!("Tags.Tag.{at}.Key"))?;
                Some((
                    key.to_owned(),
                    self.get(&format!("Tags.Tag.{at}.Value")).unwrap_or_default().to_owned(),
                ))
            })
            .collect()
    }
}

/// An element with a text.
pub(super) fn leaf(name: &str, value: impl ToString) -> String {
    let text = value.to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}

/// An element with elements.
pub(super) fn node(name: &str, inner: impl IntoIterator<Item = String>) -> String {
    let inner: String = inner.into_iter().collect();
    format!("<{name}>{inner}</{name}>")
}

pub(super) fn answer(action: &str, result: &str, id: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result><ResponseMetadata>{}</ResponseMetadata></{action}Response>",
        leaf("RequestId", id)
    )
}

pub(super) fn error(status: u16, code: &str, message: &str, id: &str) -> String {
    let who = if status < 500 { "Sender" } else { "Receiver" };
    let inner = node("Error", [leaf("Type", who), leaf("Code", code), leaf("Message", message)]);
    format!("<ErrorResponse xmlns=\"{NAMESPACE}\">{inner}{}</ErrorResponse>", leaf("RequestId", id))
}
