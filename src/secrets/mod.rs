//! Passwords and the Secrets that hold them.

mod password;

pub use password::Password;
