//! Clouds to test against.

pub mod clock;
mod home;
pub mod postgres;
