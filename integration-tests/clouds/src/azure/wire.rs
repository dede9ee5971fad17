//! Requests and answers of Azure Resource Manager: JSON over TLS, errors as `{"error": {"code", "message"}}` [S].

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::postgres::Error;

/// A request, as it arrived.
pub(super) struct Ask {
    pub(super) method: String,
    /// Path and query as sent.
    pub(super) url: String,
    /// The parts of the path, decoded; empty ones are left out: ARM tolerates double slashes [R].
    pub(super) segments: Vec<String>,
    /// Names in lower case.
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

/// An error as the service answers it: HTTP status, code, message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) u16, pub(super) String, pub(super) String);

impl Ask {
    pub(super) fn new(parts: &http::request::Parts, body: Bytes) -> Self {
        let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        Self {
            method: parts.method.to_string(),
            url: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            segments: parts.uri.path().split('/').filter(|part| !part.is_empty()).map(decode).collect(),
            query: form_urlencoded::parse(query)
                .map(|(name, value)| (name.to_lowercase(), value.into_owned()))
                .collect(),
            headers: parts.headers.clone(),
            body,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The version of the API; every call has one, see `route`.
    pub(super) fn version(&self) -> &str {
        self.query.get("api-version").map(String::as_str).unwrap_or_default()
    }

    /// The body, which must have no member that `T` does not know.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/json") {
            let message = format!("The content media type '{kind}' is not supported.");
            return Err(Refusal::new(415, "UnsupportedMediaType", message));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let message =
                format!("The request content was invalid and could not be deserialized: '{error}'.");
            Refusal::new(400, "InvalidRequestContent", message)
        })
    }

    /// The body for the log: passwords are left out.
    pub(super) fn shown(&self) -> Option<Value> {
        let mut body = serde_json::from_slice(&self.body).ok()?;
        hide(&mut body);
        Some(body)
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name.to_lowercase().ends_with("password") && value.is_string() {
                    *value = Value::String("(hidden)".to_owned());
                } else {
                    hide(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

impl Reply {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    pub(super) fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self(status, code.to_owned(), message.into())
    }

    /// What most rules answer [K].
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterValue", message)
    }

    /// PostgreSQL behind did not do what it was told.
    pub(super) fn internal(error: Error) -> Self {
        Self::new(500, "InternalServerError", error.to_string())
    }

    /// In place of pretending.
    pub(super) fn not_simulated(what: &str) -> Self {
        Self::new(400, "NotSimulated", format!("{what} is not simulated."))
    }

    pub(super) fn reply(&self) -> Reply {
        self.reply_after(1)
    }

    /// The same, and when to come again, where that is said.
    pub(super) fn reply_after(&self, seconds: u32) -> Reply {
        let reply = Reply::new(self.0, json!({"error": {"code": self.1, "message": self.2}}));
        match self.0 {
            // ARM always says so with a 429; services do with a 503 [D].
            429 | 503 => reply.header("retry-after", seconds),
            401 => reply.header("www-authenticate", "Bearer error=\"invalid_token\""),
            _ => reply,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_do_not_get_into_the_log_at_any_depth() {
        let mut body = json!({"properties": {"administratorLoginPassword": "x", "authConfig":
            {"passwordAuth": "Enabled"}}, "list": [{"Password": "y"}]});
        hide(&mut body);
        assert_eq!(
            body,
            json!({"properties": {"administratorLoginPassword": "(hidden)", "authConfig":
            {"passwordAuth": "Enabled"}}, "list": [{"Password": "(hidden)"}]})
        );
    }
}
