//! Single servers on the simulated Azure, with the operator as its own process: what the original left is taken over, and
//! goes with what the original put around it; new ones are refused.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::azure::Cloud;
use integration_tests::azure::left::{self, Left, RESYNC};
use integration_tests::operator::project_file;
use integration_tests::world::{answer, database_object, says, server_condition};
use serde_json::{Value, json};

const BACKEND: &str = "azurepostgres";
const ZONE: &str = "privateDnsZones/postgres.database.azure.com";
/// Where the private endpoint is.
const INSIDE: &str = "10.0.0.4";
/// The user's rule.
const HOME: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

fn server() -> Value {
    json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
        "kind": "PostgreSQLServer",
        "metadata": {"name": "team"},
        "spec": {
            "credentialsSecret": "team-login", "version": "11", "size": {"storageGB": 100},
            "network": {"firewallRules": [{"name": "home", "startIp": HOME, "endIp": HOME}]},
        },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_original_left_is_taken_over_without_a_write_and_goes_with_its_private_endpoint() {
    let cloud = Cloud::start().await;
    let azure = cloud.azure();
    azure.open_single_servers(true);
    let mut more = json!({
        "allow_retired_service": true,
        "virtual_network": "vnet", "subnet": "databases",
        "network": {"create_private_endpoint": true, "public_access": true},
    });
    json_patch::merge(&mut more, &left::section());
    let world = cloud.world(&[(BACKEND, &more)], json!({"resync_seconds": RESYNC})).await;
    let story = world.story("left").await;
    let allowed = allowed();
    azure.allow(Some(&allowed.iter().map(String::as_str).collect::<Vec<_>>()));
    let mut left = Left::made(&story, &cloud, server()).await;
    let (name, team) = (left.name.clone(), left.team.clone());
    // As the original published them: the server's by the server's name, the database's by its host's.
    assert_eq!(team.username, format!("postgres@{name}"));
    assert_eq!(left.app.username, format!("app@{}", left.app.host));
    world.operator.sigterm().await.unwrap();
    let portal = ([203, 0, 113, 1].into(), [203, 0, 113, 1].into());
    left.leave(BACKEND, |server| {
        server.tags.insert("cost".to_owned(), "42".to_owned());
        server.rules.insert("portal".to_owned(), portal);
    })
    .await;
    lead_to(&cloud, &name);
    azure.open_single_servers(false);
    world.operator.start_again().await.unwrap();

    let taken = story
        .server_where("team", "is taken over", |server| {
            let ready = server_condition(server, ConditionType::Ready);
            let synced = server_condition(server, ConditionType::Synced);
            ready.is_some_and(|ready| ready.status == ConditionStatus::True)
                && says(synced, ConditionStatus::True, Reason::InSync, "")
        })
        .await;
    left.is_taken_over_without_a_write().await;
    assert_eq!(taken.status.as_ref().unwrap().differences, Vec::<String>::new());

    // From here on it is like any other.
    let change = json!({"spec": {
        "size": {"storageGB": 200}, "extensions": ["pg_prewarm"], "network": null,
        "highavailability": {"enabled": true},
    }});
    story.patch::<PostgreSQLServer>("team", change).await;
    story
        .eventually("all is as asked for", async || {
            let it = azure.server(&name)?;
            let session = team.connect().await.ok()?;
            let loaded: String = session.query_one("SHOW shared_preload_libraries", &[]).await.ok()?.get(0);
            let mark = "hybridcloud-postgresql-operator:restart-due";
            let done = it.storage.size == 200 && !it.tags.contains_key(mark);
            (done && loaded == "pg_prewarm").then_some(())
        })
        .await;
    // A lock keeps rules, too.
    story
        .server_where("team", "tells that the lock is in the way", |server| {
            let synced = server_condition(server, ConditionType::Synced);
            says(
                synced,
                ConditionStatus::False,
                Reason::NotApplied,
                "removing the firewall rule home: a lock",
            )
        })
        .await;
    let it = azure.server(&name).unwrap();
    assert!(it.rules.contains_key("office") && it.rules.contains_key("portal"));
    assert_eq!(it.tags.get("cost").map(String::as_str), Some("42"));
    story
        .server_where("team", "tells what single servers do not have", |server| {
            let limited = server_condition(server, ConditionType::Limited);
            says(limited, ConditionStatus::True, Reason::NotSupported, "highavailability.enabled")
        })
        .await;
    let label = json!({"metadata": {"labels": {"operator/action": "reset-password"}}});
    story.patch::<PostgreSQLServer>("team", label).await;
    let reset = story
        .eventually("the administrator has another password", async || {
            Some(story.credentials("team-login").await).filter(|now| now.password != team.password)
        })
        .await;
    assert!(reset.connect().await.is_ok() && team.connect().await.is_err());

    // With the lock it stays, and the object with it, and says so.
    story.delete::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLDatabase>("app").await;
    story.delete::<PostgreSQLServer>("team").await;
    story
        .server_where("team", "is protected", |server| {
            let stalled = server_condition(server, ConditionType::Stalled);
            says(stalled, ConditionStatus::True, Reason::Protected, "remove the lock")
        })
        .await;
    let there = |what: &str| azure.network(what).is_some();
    let (endpoint, record) = (format!("privateEndpoints/{name}"), format!("{ZONE}/A/{name}"));
    assert!(there(&endpoint) && there(&record), "they are there as long as the server is");
    azure.unlock(&name);
    story.patch::<PostgreSQLServer>("team", json!({"metadata": {"annotations": {"look": "again"}}})).await;
    story.gone::<PostgreSQLServer>("team").await;
    assert!(azure.server(&name).is_none() && story.secret("team-login").await.is_none());
    assert!(!there(&endpoint) && !there(&record), "what led to the server alone went with it");
    assert!(there("privateEndpoints/others") && there(&format!("{ZONE}/A/others")) && there(ZONE));
    has_enough_rights(&cloud, &allowed);
    cloud.judge(env!("CARGO_TARGET_TMPDIR"));
}

/// The documented role covers all that was called, and no more.
fn has_enough_rights(cloud: &Cloud, allowed: &BTreeSet<String>) {
    let called: BTreeSet<String> =
        cloud.azure().log().into_iter().filter_map(|call| call.permission).collect();
    let outside: Vec<_> = called.difference(allowed).collect();
    // Without it the endpoint itself is looked at.
    assert_eq!(outside, ["Microsoft.Network/locations/azureAsyncOperation/read"], "the role lacks something");
    let unused: Vec<_> = allowed.difference(&called).collect();
    // For services that answer by Location alone.
    assert_eq!(unused, ["Microsoft.DBforPostgreSQL/locations/operationResults/read"], "never called");
}

/// What the documented role allows, and what locks need besides.
fn allowed() -> BTreeSet<String> {
    let text = std::fs::read_to_string(project_file("docs/azure-role-single.json")).unwrap();
    let role: Value = serde_json::from_str(&text).unwrap();
    let actions = role["Actions"].as_array().unwrap().iter().map(|action| action.as_str().unwrap());
    let locks = ["Microsoft.Authorization/locks/read", "Microsoft.Authorization/locks/write"];
    actions.chain(locks).map(str::to_owned).collect()
}

/// What the original put around the server, and somebody else beside that.
fn lead_to(cloud: &Cloud, name: &str) {
    let azure = cloud.azure();
    let id = azure.server(name).unwrap().id();
    let endpoint = |connection: String, address: &str| {
        json!({
            "type": "Microsoft.Network/privateEndpoints",
            "location": "westeurope",
            "properties": {
                "provisioningState": "Succeeded",
                "subnet": {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/d"},
                "privateLinkServiceConnections": [{"name": connection, "properties": {
                    "privateLinkServiceId": id, "groupIds": ["postgresqlServer"],
                }}],
                "manualPrivateLinkServiceConnections": [],
                "customDnsConfigs": [{"fqdn": "x", "ipAddresses": [address]}],
            },
        })
    };
    let record = |address: &str| {
        json!({
            "type": "Microsoft.Network/privateDnsZones/A",
            "properties": {"ttl": 30, "aRecords": [{"ipv4Address": address}]},
        })
    };
    azure.put_network(ZONE, json!({"location": "global", "properties": {}}));
    azure.put_network(&format!("privateEndpoints/{name}"), endpoint(format!("link-{name}"), INSIDE));
    azure.put_network(&format!("{ZONE}/A/{name}"), record(INSIDE));
    // Somebody else's way to the same server.
    azure.put_network("privateEndpoints/others", endpoint("by-hand".to_owned(), "10.0.0.5"));
    azure.put_network(&format!("{ZONE}/A/others"), record("10.0.0.5"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_server_is_refused_with_the_way_out_and_nothing_is_begun() {
    let cloud = Cloud::start().await;
    let world = cloud.world(&[(BACKEND, &json!({}))], json!({})).await;
    let story = world.story("new").await;
    story.try_apply(server()).await.unwrap();
    let refused = story
        .server_where("team", "is refused", |server| {
            let stalled = server_condition(server, ConditionType::Stalled);
            says(stalled, ConditionStatus::True, Reason::InvalidSpec, "azurepostgresflexible")
        })
        .await;
    let stalled = server_condition(&refused, ConditionType::Stalled).unwrap();
    println!("{}", stalled.message);
    assert!(stalled.message.contains("allow_retired_service"));
    assert!(refused.status.as_ref().unwrap().server.is_none(), "nothing is pinned");
    assert!(!story.has_pending_password(refused.metadata.uid.as_deref().unwrap()).await);
    story.delete::<PostgreSQLServer>("team").await;
    story.gone::<PostgreSQLServer>("team").await;
    assert!(cloud.azure().log().iter().all(|call| !call.is_write()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_moves_to_a_flexible_server_beside_it_as_the_documentation_says() {
    const NEW: &str = "azurepostgresflexible";
    let cloud = Cloud::start().await;
    cloud.azure().open_single_servers(true);
    let backends = [
        (NEW, &json!({})),
        (BACKEND, &json!({"allow_retired_service": true, "name_pattern": "{name}-{namespace}"})),
    ];
    let world = cloud.world(&backends, json!({})).await;
    let story = world.story("move").await;
    let mut old = server();
    old["spec"]["backend"] = BACKEND.into();
    let mut new = server();
    json_patch::merge(
        &mut new,
        &json!({
            "metadata": {"name": "next"},
            "spec": {"credentialsSecret": "next-login", "version": "17", "backend": NEW},
        }),
    );
    story.try_apply(old).await.unwrap();
    story.try_apply(new).await.unwrap();
    story.try_apply(database_object("app", "team", "app-login")).await.unwrap();
    story.try_apply(database_object("shop", "next", "shop-login")).await.unwrap();
    story.database_ready("app").await;
    story.database_ready("shop").await;
    let (from, to) = (story.credentials("app-login").await, story.credentials("shop-login").await);
    assert_eq!((from.username.as_str(), to.username.as_str()), (&*format!("app@{}", from.host), "shop"));
    let data = "CREATE TABLE orders (id int PRIMARY KEY, what text); INSERT INTO orders VALUES (1, 'first')";
    from.connect().await.unwrap().batch_execute(data).await.unwrap();

    let page = std::fs::read_to_string(project_file("docs/azure-single.md")).unwrap();
    let command = page.lines().map(str::trim).find(|line| line.starts_with("pg_dump ")).unwrap();
    let uri = |secret: &str| {
        let namespace = &story.namespace;
        format!("$(kubectl -n {namespace} get secret {secret} -o jsonpath='{{.data.uri}}' | base64 -d)")
    };
    let (from, to) = (uri("app-login"), uri("shop-login"));
    world.shell(&format!("OLD_URI={from}; NEW_URI={to}; {command}")).await;

    story.delete::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLDatabase>("app").await;
    story.delete::<PostgreSQLServer>("team").await;
    story.gone::<PostgreSQLServer>("team").await;
    let moved = story.credentials("shop-login").await.connect().await.unwrap();
    let rows = answer(&moved, "SELECT what FROM orders").await;
    assert_eq!(rows.as_deref(), Some("first"));
    moved.batch_execute("ALTER TABLE orders ADD COLUMN more int").await.unwrap();
}
