//! Passwords and the Secrets that hold them.

mod credentials;
mod generate;
mod mark;
mod password;
mod store;

pub use credentials::{
    ConnectionFacts, ORIGINAL_KEYS, Recognised, field, is_unmarked_and_complete, password_in,
};
pub use generate::{PasswordRules, generate};
pub use mark::{ISSUED_AT, RESET_AT, SecretOwner, marked_name};
pub use password::Password;
pub use store::{Issue, PendingPassword, SecretError, SecretStore, pending_name, time_in};
