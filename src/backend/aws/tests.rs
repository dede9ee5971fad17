//! What the tests of both backends have in common: an object, its spec, and the configuration.

use aws_sdk_rds::types::{Tag, VpcSecurityGroupMembership};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::{Owner, PresentServer, ServerFacts, ServerObservation};
use super::look;
use super::servers::Shown;
use super::tags::tag;

/// Whose all servers are.
pub(super) fn owner() -> Owner {
    Owner { namespace: "team".to_owned(), name: "orders".to_owned(), uid: "uid-1".to_owned() }
}

/// What is written in a file or an object, and more.
pub(super) fn merged<T: DeserializeOwned>(mut written: Value, more: &Value) -> T {
    json_patch::merge(&mut written, more);
    serde_json::from_value(written).unwrap()
}

/// A backend's section: what both kinds have, what is its own, and more.
pub(super) fn section<T: DeserializeOwned>(own: &Value, more: &Value) -> T {
    let mut section = json!({
        "region": "eu-central-1",
        "subnet_group": "subnets",
        "vpc_security_group_ids": ["sg-2", "sg-1"],
        "tags": {"cost": "42"},
    });
    json_patch::merge(&mut section, own);
    merged(section, more)
}

/// The security groups of such a [`section`], as the service shows them.
pub(super) fn security_groups() -> Option<Vec<VpcSecurityGroupMembership>> {
    let group = |id| VpcSecurityGroupMembership::builder().vpc_security_group_id(id).build();
    Some(["sg-1", "sg-2"].map(group).into())
}

/// The tags of a server of the [`owner`]'s, with such a [`section`], and one of somebody else.
pub(super) fn tags() -> Vec<Tag> {
    vec![
        tag("hybridcloud-postgresql-operator:namespace", "team"),
        tag("hybridcloud-postgresql-operator:name", "orders"),
        tag("cost", "42"),
        tag("foreign", "stays"),
    ]
}

/// The meaning of a server of ours.
pub(super) fn judged(server: &impl Shown, facts: ServerFacts) -> PresentServer {
    match look::judge(server, facts) {
        ServerObservation::Present(server) => *server,
        other => panic!("{other:?}"),
    }
}
