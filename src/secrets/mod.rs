//! Passwords and the Secrets that hold them.

mod generate;
mod password;

pub use generate::{PasswordRules, generate};
pub use password::Password;
