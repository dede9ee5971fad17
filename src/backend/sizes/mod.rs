//! How a wish for a size (`spec.size`) becomes a size that a backend has. Pure; `docs/sizes.md` is made from it.
//!
//! One function for each backend. Each takes the backend's settings and the wish, and gives the size together with a
//! sentence for every part of the wish that was not met to the letter, or every part that is refused. A size never lies
//! outside the administrator's limits.

mod aurora;
mod azure;
mod class;
mod flexible;
mod helm;
mod rds;
mod single;
#[cfg(test)]
mod tests;
mod wish;

use super::Rejection;
use wish::rejection;

pub use aurora::{AuroraSize, aurora};
pub use flexible::{FlexibleSize, flexible};
pub use helm::{BitnamiSize, YugabyteSize, bitnami, yugabyte};
pub use rds::{RdsSize, rds};
pub use single::{SingleSize, single};

/// A size, and what people should know about how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizing<T> {
    /// What to ask the backend for.
    pub size: T,
    /// One sentence for each part of the wish that was not met to the letter. For an event.
    pub warnings: Vec<String>,
}

impl<T> Sizing<T> {
    /// The warnings, each with the field that it is about.
    pub fn warned(&self) -> Vec<Rejection> {
        let parts = self.warnings.iter().map(|warning| warning.split_once(": ").unwrap_or(("size", warning)));
        parts.map(|(field, message)| rejection(field, message.to_owned())).collect()
    }
}

/// Both, or everything that is refused about them.
fn both<A, B>(first: Result<A, Rejection>, second: Result<B, Rejection>) -> Result<(A, B), Vec<Rejection>> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (first, second) => Err(first.err().into_iter().chain(second.err()).collect()),
    }
}
