//! Two operators in one cluster, each for namespaces of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use hcpg::api::PostgreSQLServer;
use integration_tests::control_plane::AuditEvent;
use integration_tests::operator::{Account, OPERATOR_NAMESPACE, Operator, OperatorOptions, SERVICE_ACCOUNT};
use integration_tests::world::{TEAM, TEAM_AND_APP, World, server_object};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::Api;

const BLUE: Account = Account { namespace: OPERATOR_NAMESPACE, name: SERVICE_ACCOUNT, serves: &[] };
/// With rights in its own namespaces only.
const GREEN: Account =
    Account { namespace: "green-operator", name: "green-operator", serves: &["green", "lime"] };

fn serving(namespaces: &str) -> OperatorOptions {
    let environment = vec![("WATCH_NAMESPACES".to_owned(), namespaces.to_owned())];
    OperatorOptions { environment, ..OperatorOptions::default() }
}

async fn objects(operator: &Operator, kind: &str) -> f64 {
    operator.metric("hcpg_objects", &[("kind", kind)]).await.unwrap()
}

/// Namespaces of users in which somebody wrote.
fn places(writes: &[AuditEvent]) -> BTreeSet<&str> {
    let places = writes.iter().filter_map(|write| write.object_ref.as_ref());
    places.map(|object| object.namespace.as_str()).filter(|name| !name.ends_with("operator")).collect()
}

#[tokio::test]
async fn each_serves_its_own_and_nothing_is_done_twice() {
    let world = World::start_with(serving("blue")).await;
    let (blue, green, lime, red) = (
        world.story_in("blue").await,
        world.story_in("green").await,
        world.story_in("lime").await,
        world.story_in("red").await,
    );
    let other = world.operator_as(GREEN, serving("green, lime")).await;
    for story in [&blue, &green, &red] {
        story.apply(TEAM_AND_APP).await;
    }
    lime.try_apply(server_object(TEAM, "team-login")).await.unwrap();
    for story in [&blue, &green] {
        story.team_ready().await;
        for login in [story.team_login().await, story.app_login().await] {
            login.connect().await.unwrap();
        }
    }
    lime.server_ready(TEAM).await;

    for (operator, servers, databases) in [(&world.operator, 1.0, 1.0), (&other, 2.0, 1.0)] {
        assert!(operator.leads().await.unwrap(), "each has a lease of its own");
        let shown = async || {
            let found = (objects(operator, "server").await, objects(operator, "database").await);
            (found == (servers, databases)).then_some(())
        };
        blue.eventually("the gauges show what it serves", shown).await;
        let folders = std::fs::read_dir(operator.data_dir()).unwrap().flatten();
        let made = folders.filter(|entry| entry.path().join("server.json").exists()).count();
        assert_eq!(made as f64, servers);
    }
    for (namespace, operator) in [(BLUE.namespace, &world.operator), (GREEN.namespace, &other)] {
        let lease = Api::<Lease>::namespaced(blue.client.clone(), namespace)
            .get("hybrid-cloud-postgresql-operator")
            .await
            .unwrap();
        assert_eq!(lease.spec.unwrap().holder_identity, Some(operator.name()));
    }

    // A deletion needs to see whether the namespace goes too: also that is within the rights.
    green.delete::<PostgreSQLServer>(TEAM).await;
    green.databases().delete("app", &Default::default()).await.unwrap();
    green.gone::<PostgreSQLServer>(TEAM).await;

    let untouched = async || red.server(TEAM).await.status.is_none_or(|status| status.phase.is_none());
    red.all_the_time("nobody serves this namespace", Duration::from_secs(2), untouched).await;
    let (of_blue, of_green) = (world.writes_of(&BLUE).await, world.writes_of(&GREEN).await);
    assert_eq!(places(&of_blue), ["blue", OPERATOR_NAMESPACE].into());
    assert_eq!(places(&of_green), ["green", "lime"].into());
    let refused: Vec<_> = of_blue.iter().chain(&of_green).filter(|event| event.code() == Some(403)).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    let user = "system:serviceaccount:green-operator:green-operator";
    let events = world.audit_log().settled(&world.client().await).await.unwrap();
    let refused: Vec<_> =
        events.iter().filter(|event| event.user.username == user && event.code() == Some(403)).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}
