//! The operator's configuration file.

mod local;

pub use local::LocalConfig;
