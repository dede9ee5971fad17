//! Names of servers, as the administrator's pattern makes them. Pure.

use super::super::{Owner, Rejection};

/// The text with the object's `{namespace}` and `{name}` filled in.
pub(in super::super) fn filled(text: &str, owner: &Owner) -> String {
    text.replace("{namespace}", &owner.namespace).replace("{name}", &owner.name)
}

/// The name that a pattern has made, if the service takes it. It is not bent into one: two objects would get in each
/// other's way.
///
/// # Errors
/// The flaw, and what helps.
pub(in super::super) fn flawless(name: String, flaw: Option<String>) -> Result<String, Rejection> {
    match flaw {
        None => Ok(name),
        Some(flaw) => Err(Rejection {
            field: "metadata.name".to_owned(),
            message: format!(
                "the server would be called \"{name}\", but {flaw}; use another name, or ask the administrator for \
                 another name_pattern or an entry in name_overrides"
            ),
        }),
    }
}
