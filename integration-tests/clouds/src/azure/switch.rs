//! What is on or off, in the services' words.

use serde::Deserialize;

/// Enabled or not; in any case.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Switch(pub(super) bool);

impl TryFrom<String> for Switch {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "enabled" => Ok(Self(true)),
            "disabled" => Ok(Self(false)),
            _ => Err(format!("'{text}' is neither Enabled nor Disabled")),
        }
    }
}

/// As the services answer it.
pub(super) fn word(on: bool) -> &'static str {
    if on { "Enabled" } else { "Disabled" }
}
