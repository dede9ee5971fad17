//! The test world: a real control plane, real PostgreSQL servers, and the operator as its binary.

pub mod control_plane;
pub mod helm;
