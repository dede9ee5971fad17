//! The query protocol: a form goes in, XML comes out (botocore: protocol `query`, 2014-10-31).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

const NAMESPACE: &str = "http://rds.amazonaws.com/doc/2014-10-31/";
pub(super) const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The fields of a request. It remembers which ones were read, so that none is passed over in silence.
pub(super) struct Form {
    fields: BTreeMap<String, String>,
    read: Mutex<BTreeSet<String>>,
}

/// An error as the service answers it: HTTP status, code, message.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) u16, pub(super) &'static str, pub(super) String);

/// What an action comes to: the inside of its result element.
pub(super) type Answer = Result<String, Refusal>;

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal(400, "InvalidParameterValue", message.into())
}

pub(super) fn combination(message: impl Into<String>) -> Refusal {
    Refusal(400, "InvalidParameterCombination", message.into())
}

impl Form {
    pub(super) fn parse(body: &[u8]) -> Self {
        Self { fields: form_urlencoded::parse(body).into_owned().collect(), read: Mutex::default() }
    }

    /// All fields but those of passwords and tokens.
    pub(super) fn tellable(&self) -> BTreeMap<String, String> {
        let mut fields = self.fields.clone();
        fields.retain(|name, _| !name.contains("Password") && !name.contains("Token"));
        fields
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (name, value) = self.fields.get_key_value(name)?;
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        Some(value)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        let missing = || format!("The request must contain the parameter {name}.");
        self.get(name).ok_or_else(|| Refusal(400, "MissingParameter", missing()))
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let wrong = |_| invalid(format!("{name} is not a number."));
        self.get(name).map(|value| value.parse().map_err(wrong)).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(invalid(format!("{name} is neither true nor false."))),
        }
    }

    /// `List.Member.1`, `List.Member.2`, …
    pub(super) fn list(&self, list: &str) -> Vec<String> {
        (1..).map_while(|at| self.get(&format!("{list}.{at}"))).map(str::to_owned).collect()
    }

    /// `List.Member.1.Field`, `List.Member.2.Field`, …: the fields of each member.
    pub(super) fn records(&self, list: &str) -> Vec<BTreeMap<String, String>> {
        let record = |at: u32| {
            let prefix = format!("{list}.{at}.");
            let names: Vec<&String> = self.fields.keys().filter(|name| name.starts_with(&prefix)).collect();
            let fields = names.into_iter().filter_map(|name| {
                Some((name.strip_prefix(&prefix)?.to_owned(), self.get(name)?.to_owned()))
            });
            Some(fields.collect::<BTreeMap<_, _>>()).filter(|record| !record.is_empty())
        };
        (1..).map_while(record).collect()
    }

    pub(super) fn tags(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut tags = BTreeMap::new();
        for record in self.records("Tags.Tag") {
            let key = record.get("Key").cloned().ok_or_else(|| invalid("A tag has no key."))?;
            tags.insert(key, record.get("Value").cloned().unwrap_or_default());
        }
        Ok(tags)
    }

    /// To be asked when all has been read and before anything is done.
    pub(super) fn nothing_else(&self) -> Result<(), Refusal> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |name: &str| read.contains(name) || name == "Action" || name == "Version";
        match self.fields.keys().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => Err(invalid(format!("The parameter {name} is not simulated in this place."))),
        }
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

pub(super) fn answer(action: &str, result: &str, id: &str, namespace: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{namespace}\"><{action}Result>{result}</{action}Result><ResponseMetadata>{}</ResponseMetadata></{action}Response>",
        leaf("RequestId", id)
    )
}

pub(super) fn error(status: u16, code: &str, message: &str, id: &str) -> String {
    let who = if status < 500 { "Sender" } else { "Receiver" };
    let inner = node("Error", [leaf("Type", who), leaf("Code", code), leaf("Message", message)]);
    format!("<ErrorResponse xmlns=\"{NAMESPACE}\">{inner}{}</ErrorResponse>", leaf("RequestId", id))
}

/// The namespace of the service that the request is for.
pub(super) fn namespace(sts: bool) -> &'static str {
    if sts { STS_NAMESPACE } else { NAMESPACE }
}

/// One page of a listing, `MaxRecords` from 20 to 100 (botocore), after `Marker`. The items are in the order of their
/// keys.
pub(super) fn page(form: &Form, element: &str, items: Vec<(String, String)>) -> Answer {
    let most: usize = form.number("MaxRecords")?.unwrap_or(100);
    if !(20..=100).contains(&most) {
        return Err(invalid(format!("Invalid value {most} for MaxRecords. Must be between 20 and 100")));
    }
    let after = form.get("Marker").unwrap_or_default();
    form.nothing_else()?;
    let rest: Vec<_> = items.into_iter().filter(|(key, _)| key.as_str() > after).collect();
    let more = rest.len() > most;
    let page: Vec<_> = rest.into_iter().take(most).collect();
    let marker = page.last().filter(|_| more).map(|(key, _)| leaf("Marker", key));
    Ok(marker.unwrap_or_default() + &node(element, page.into_iter().map(|(_, xml)| xml)))
}

/// Those of the legal filters that were asked for: name → values.
pub(super) fn filters(form: &Form, legal: &[&str]) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
    let mut filters = BTreeMap::new();
    for record in form.records("Filters.Filter") {
        let name = record.get("Name").cloned().unwrap_or_default();
        if !legal.contains(&name.as_str()) {
            return Err(invalid(format!("Unrecognized filter name: {name}")));
        }
        let values = record.iter().filter(|(field, _)| *field != "Name").map(|(_, value)| value.clone());
        filters.insert(name, values.collect());
    }
    Ok(filters)
}

pub(super) fn passes(filters: &BTreeMap<String, Vec<String>>, name: &str, value: &str) -> bool {
    filters.get(name).is_none_or(|wanted| wanted.iter().any(|one| one == value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        assert_eq!(leaf("Value", "a<b & c>d"), "<Value>a&lt;b &amp; c&gt;d</Value>");
    }

    #[test]
    fn a_field_that_nobody_reads_is_refused() {
        let form = Form::parse(b"Action=CreateDBInstance&Version=2014-10-31&Known=1&Unknown=2");
        assert_eq!(form.get("Known"), Some("1"));
        let refused = form.nothing_else().unwrap_err();
        assert!(refused.1 == "InvalidParameterValue" && refused.2.contains("Unknown"), "{refused:?}");
    }

    #[test]
    fn passwords_and_tokens_are_not_told() {
        let form =
            Form::parse(b"MasterUserPassword=secret&WebIdentityToken=secret&DBInstanceIdentifier=shop");
        assert_eq!(form.tellable().into_keys().collect::<Vec<_>>(), ["DBInstanceIdentifier"]);
    }

    #[test]
    fn a_listing_comes_in_pages_that_miss_and_repeat_nothing() {
        let items: Vec<_> = (0..45).map(|at| (format!("{at:02}"), format!("<i>{at}</i>"))).collect();
        let (mut seen, mut marker) = (0, String::new());
        for _ in 0..3 {
            let form = Form::parse(format!("MaxRecords=20&Marker={marker}").as_bytes());
            let page = page(&form, "Items", items.clone()).unwrap();
            seen += page.matches("<i>").count();
            let next = page.strip_prefix("<Marker>").and_then(|rest| rest.split('<').next());
            marker = next.unwrap_or_default().to_owned();
        }
        assert_eq!((seen, marker.as_str()), (45, ""));
        assert!(super::page(&Form::parse(b"MaxRecords=19"), "Items", items).is_err());
    }
}
