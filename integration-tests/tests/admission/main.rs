//! What the API server lets in, refuses and shows, with the definitions in `crds/` installed.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accepted;
mod refused;
mod shown;
mod status;
mod upgrade;
mod world;
