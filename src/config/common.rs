//! What sections of several providers are made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many calls to a provider are made at most: a bucket of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CallBudget {
    /// Calls a second, on average.
    #[schemars(range(min = 1, max = 1000))]
    pub per_second: u32,
    /// Calls at once, after a quiet time.
    #[schemars(range(min = 1, max = 10000))]
    pub burst: u32,
}

impl Default for CallBudget {
    fn default() -> Self {
        Self { per_second: 5, burst: 50 }
    }
}

pub(super) fn name_pattern() -> String {
    "{namespace}-{name}".to_owned()
}

pub(super) fn admin_username() -> String {
    "postgres".to_owned()
}
