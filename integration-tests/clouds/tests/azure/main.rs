//! The simulated Azure, over the wire.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod contract;
mod entra;
mod faults;
mod life;
mod referee;
mod single;
