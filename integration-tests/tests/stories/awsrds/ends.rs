//! The end of the server `main`, on RDS and on Aurora, and what calls its whole life took.

use std::collections::{BTreeMap, BTreeSet};

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::operator::project_file;
use integration_tests::world::{Story, says, server_condition};
use serde_json::Value;

use super::cloud::Cloud;

/// What tells one server from another, and its tags.
type Told = (String, BTreeMap<String, String>);

/// It stays without its object, marked, and is the same one for the next.
pub async fn leaves_its_server(story: &Story<'_>, next: Value, server: impl Fn() -> Told) {
    const MARK: &str = "hybridcloud-postgresql-operator:retained";
    let (before, _) = server();
    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    assert!(server().1.contains_key(MARK));
    story.try_apply(next).await.unwrap();
    story.server_ready("main").await;
    let (again, tags) = server();
    assert_eq!((again, tags.contains_key(MARK)), (before, false));
}

/// It tells that AWS protects its server.
pub async fn is_protected(story: &Story<'_>, name: &str) {
    story
        .server_where(name, "is protected", |server| {
            let stalled = server_condition(server, ConditionType::Stalled);
            says(stalled, ConditionStatus::True, Reason::Protected, "switch deletion protection off")
        })
        .await;
}

/// The documented policy, without the statements that are there for the other backend only, allows what was called, and
/// nothing else. `snapshot`: no call of its own, but AWS asks for it where a final snapshot is taken.
pub fn needed_the_documented_rights(cloud: &Cloud, other: &str, snapshot: &str) {
    let (allowed, called) = (allowed(other), called(cloud));
    let (outside, unused): (Vec<_>, Vec<_>) =
        (called.difference(&allowed).collect(), allowed.difference(&called).collect());
    assert!(outside.is_empty(), "the policy lacks {outside:?}");
    assert_eq!(unused, [snapshot], "the policy allows what is never called");
}

fn allowed(other: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(project_file("docs/aws-iam-policy.json")).unwrap();
    let policy: Value = serde_json::from_str(&text).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let ours = statements.iter().filter(|statement| !statement["Sid"].as_str().unwrap().ends_with(other));
    let actions = ours.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// As policies name it. Everybody may ask whose his credentials are.
fn called(cloud: &Cloud) -> BTreeSet<String> {
    let calls = cloud.0.log().into_iter().filter(|call| call.action != "GetCallerIdentity");
    calls.map(|call| format!("rds:{}", call.action)).collect()
}
