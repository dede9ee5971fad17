//! Two objects are written, and an application can log in.

use hcpg::api::{Condition, ConditionStatus, ConditionType, Reason};
use integration_tests::operator::project_file;
use integration_tests::world::{LoginError, SharedWorld, Story};

static WORLD: SharedWorld = SharedWorld::new();

const SERVER_SECRET: &str = "demoteam-postgres-credentials";
const DATABASE_SECRET: &str = "demoservice-postgres-credentials";

/// The example is applied as its README says, and both objects are ready.
async fn given_the_example() -> Story<'static> {
    let world = WORLD.get().await;
    let story = world.story("create").await;
    let file = project_file("examples/simple.yaml");
    world.kubectl(&["apply", "-n", &story.namespace, "-f", file.to_str().unwrap()]).await;
    let wait = ["wait", "-n", &story.namespace, "--for=condition=Ready", "--timeout=90s"];
    world
        .kubectl(&[&wait[..], &["postgresqlserver/demoteam", "postgresqldatabase/demoservice"]].concat())
        .await;
    story
}

fn told(conditions: &[Condition]) -> Vec<(ConditionType, ConditionStatus, Reason)> {
    conditions.iter().map(|condition| (condition.type_, condition.status, condition.reason)).collect()
}

/// `Paused` is there only while an object is.
const ALL_IS_WELL: [(ConditionType, ConditionStatus, Reason); 5] = [
    (ConditionType::Ready, ConditionStatus::True, Reason::Available),
    (ConditionType::Synced, ConditionStatus::True, Reason::InSync),
    (ConditionType::Reconciling, ConditionStatus::False, Reason::Idle),
    (ConditionType::Stalled, ConditionStatus::False, Reason::NotStalled),
    (ConditionType::LoginVerified, ConditionStatus::True, Reason::LoginSucceeded),
];

#[tokio::test]
async fn an_application_logs_in_with_nothing_but_the_secret() {
    let story = given_the_example().await;

    let credentials = story.credentials(DATABASE_SECRET).await;
    let login = credentials.connect().await.unwrap();

    assert_eq!((credentials.username.as_str(), credentials.dbname.as_str()), ("demoservice", "demoservice"));
    login.batch_execute("CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)").await.unwrap();
    let row = login.query_one("SELECT id FROM orders", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);
}

#[tokio::test]
async fn the_administrator_manages_and_is_no_superuser() {
    let story = given_the_example().await;

    let login = story.credentials(SERVER_SECRET).await.connect().await.unwrap();

    let rights = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls
                  FROM pg_roles WHERE rolname = current_user";
    let row = login.query_one(rights, &[]).await.unwrap();
    let rights: Vec<bool> = (0..5).map(|column| row.get(column)).collect();
    assert_eq!(rights, [false, true, true, false, false]);
    login.batch_execute("CREATE DATABASE by_hand").await.expect("it may make databases");
    let refused = login.batch_execute("COPY (SELECT 1) TO PROGRAM 'true'").await.unwrap_err();
    assert_eq!(refused.code().map(|code| code.code()), Some("42501"), "{refused:?}");
}

#[tokio::test]
async fn the_server_is_known_by_its_certificate_only() {
    let story = given_the_example().await;
    let honest = story.credentials(DATABASE_SECRET).await;
    honest.connect().await.expect("the certificate is signed by ca.crt and bears the host's name");

    let mut misled = honest.clone();
    misled.ca = Some(rcgen_authority());
    let refused = misled.connect().await.unwrap_err();
    assert!(matches!(&refused, LoginError::Postgres(error) if error.as_db_error().is_none()), "{refused}");

    let mut stranger = honest.clone();
    stranger.password.push('x');
    assert!(stranger.is_refused().await.unwrap());
}

/// The certificate of somebody else's authority.
fn rcgen_authority() -> String {
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

#[tokio::test]
async fn the_objects_tell_how_they_are() {
    let story = given_the_example().await;
    let server = story.server_ready("demoteam").await;
    let database = story.database_ready("demoservice").await;

    let status = server.status.unwrap();
    assert_eq!(told(&status.conditions), ALL_IS_WELL, "{:#?}", status.conditions);
    assert_eq!(status.binding.unwrap().name, SERVER_SECRET);
    assert_eq!(status.backend.as_deref(), Some("local"));
    let seen = status.server.unwrap();
    let credentials = story.credentials(SERVER_SECRET).await;
    assert_eq!(seen.host.as_ref(), Some(&credentials.host));
    assert_eq!(seen.endpoint.unwrap(), format!("{}:{}", credentials.host, credentials.port));
    assert_eq!(seen.name.unwrap(), format!("{}-demoteam", story.namespace));

    let status = database.status.unwrap();
    assert_eq!(told(&status.conditions), ALL_IS_WELL, "{:#?}", status.conditions);
    assert_eq!(status.binding.unwrap().name, DATABASE_SECRET);
    assert_eq!(status.database.unwrap().name.as_deref(), Some("demoservice"));
    assert!(status.first_ready_at.is_some());
}

#[tokio::test]
async fn kubectl_shows_it() {
    let story = given_the_example().await;
    let world = story.world;
    let endpoint = story.server("demoteam").await.status.unwrap().server.unwrap().endpoint.unwrap();

    let shown = world.kubectl(&["get", "pg", "-n", &story.namespace]).await;
    let words: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["NAME", "PHASE", "READY", "BACKEND", "VERSION", "ENDPOINT", "AGE"]);
    assert_eq!(words[1][..4], ["demoteam", "Ready", "True", "local"]);
    assert_eq!(words[1][5], endpoint);

    let shown = world.kubectl(&["get", "pgdb", "-n", &story.namespace]).await;
    let words: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["NAME", "PHASE", "READY", "SERVER", "DATABASE", "SECRET", "AGE"]);
    assert_eq!(words[1][..6], ["demoservice", "Ready", "True", "demoteam", "demoservice", DATABASE_SECRET]);

    let events = world.kubectl(&["get", "events", "-n", &story.namespace]).await;
    assert!(events.contains("Transition"), "{events}");
}
