//! A password that cannot be printed by accident.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A clear-text password. `Debug` is redacted and the memory is wiped on drop.
///
/// Two passwords are compared by value, so that "pending equals published" can be asked without exposing either.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// Wraps a clear-text password.
    pub fn new(clear_text: impl Into<String>) -> Self {
        Self(SecretString::from(clear_text.into()))
    }

    /// The clear text. Only for the wire: a login, a SCRAM verifier, a Secret's data.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}
