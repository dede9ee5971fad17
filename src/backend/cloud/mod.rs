//! What backends on different clouds have in common.

mod budget;
mod listing;
mod names;
mod owner;
mod retry_after;

pub(super) use budget::{Budget, PAUSE};
pub(super) use listing::Listing;
pub(super) use names::{filled, flawless};
pub(super) use owner::{MARKED, UID, Whose, required, whose};
pub(super) use retry_after::retry_after;
