//! The test world: a real control plane, real PostgreSQL servers, and the operator as its binary.
//!
//! * [`control_plane`]: etcd and kube-apiserver. * [`operator`]: the operator's process, with its own rights only.
//! * [`conformance`]: what every backend has to stand. * [`crash`]: the operator ended between any two effects.
//! * [`scale`]: what it costs with many objects.
//! * [`world`]: both together, and the words in which user stories are told. * [`helm`]: the charts.
//! * [`fetched`]: what scripts of ours fetch: [`postgres_versions`], PostgreSQL 12 to 18, and [`jdbc`], its JDBC driver.

pub mod aws;
pub mod azure;
pub mod conformance;
pub mod control_plane;
pub mod crash;
pub mod fetched;
pub mod helm;
pub mod jdbc;
pub mod operator;
pub mod postgres_versions;
pub mod scale;
pub mod world;
