//! The real PostgreSQL servers that stand behind a simulated cloud.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use clouds::postgres::{Address, Admin, Error, Parameters, Pool, Server, carry_over, nearest};
use clouds::rds_flavour::{AUTHORITIES, RDS};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::Client;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

const AUTHORITY: &str = AUTHORITIES[1];

async fn server(pool: &Pool, major: u32) -> Server {
    let admin = Admin {
        name: "app_admin".into(),
        password: "first'\\pw".into(),
        database: Some("shop".into()),
        major,
    };
    Server::create(pool, Address::reserve().unwrap(), AUTHORITY, admin, &Parameters::new()).await.unwrap()
}

fn pool() -> Pool {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Pool::new(&RDS, &AUTHORITIES).unwrap()
}

/// A login as any client would do it: TLS, certificate checked against the address.
async fn login(
    ca: &str,
    server: &Server,
    password: &str,
    database: &str,
) -> Result<Client, tokio_postgres::Error> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let (client, connection) = tokio_postgres::Config::new()
        .host(server.ip().to_string())
        .user("app_admin")
        .password(password)
        .dbname(database)
        .ssl_mode(SslMode::Require)
        .connect(MakeRustlsConnect::new(tls))
        .await?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::test]
async fn the_administrator_logs_in_over_verified_tls_and_is_no_superuser() {
    let pool = pool();
    let server = server(&pool, 15).await;
    let client =
        login(pool.authorities().pem(AUTHORITY).unwrap(), &server, "first'\\pw", "shop").await.unwrap();
    let row = client
        .query_one(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((row.get::<_, bool>(0), row.get::<_, bool>(1), row.get::<_, bool>(2)), (false, true, true));
    assert!(client.batch_execute("ALTER ROLE rdsadmin PASSWORD 'mine'").await.is_err());

    let other = pool.authorities().pem(AUTHORITIES[0]).unwrap();
    assert!(
        login(other, &server, "first'\\pw", "shop").await.is_err(),
        "another authority must not be believed"
    );
}

#[tokio::test]
async fn where_tls_is_forced_a_client_without_it_is_refused() {
    let pool = pool();
    let server = server(&pool, 15).await;
    if server.major() < 15 {
        return;
    }
    let refused = tokio_postgres::Config::new()
        .host(server.ip().to_string())
        .user("app_admin")
        .password("first'\\pw")
        .dbname("postgres")
        .ssl_mode(SslMode::Disable)
        .connect(tokio_postgres::NoTls)
        .await
        .err()
        .expect("refused");
    assert_eq!(refused.as_db_error().map(|error| error.code().code().to_owned()), Some("28000".to_owned()));
}

#[tokio::test]
async fn a_changed_password_replaces_the_old_one_and_survives_a_restart() {
    let pool = pool();
    let server = server(&pool, 15).await;
    let ca = pool.authorities().bundle();
    server.set_password("app_admin", "second").await.unwrap();
    assert!(login(&ca, &server, "first'\\pw", "postgres").await.is_err());
    server.stop().await.unwrap();
    assert!(!server.runs());
    assert!(login(&ca, &server, "second", "postgres").await.is_err());
    server.start().await.unwrap();
    login(&ca, &server, "second", "postgres").await.unwrap();
}

#[tokio::test]
async fn dynamic_parameters_follow_a_reload_and_static_ones_a_restart() {
    let pool = pool();
    let server = server(&pool, 15).await;
    let shown = async |name: &str| {
        server.ask("postgres", &format!("SHOW {name}")).await.unwrap()[0][0].clone().unwrap()
    };
    let parameters =
        Parameters::from([("work_mem".into(), "5MB".into()), ("max_connections".into(), "33".into())]);
    server.write(&parameters).unwrap();
    server.reload();
    for _ in 0..200 {
        if shown("work_mem").await == "5MB" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(shown("work_mem").await, "5MB");
    assert_eq!(shown("max_connections").await, "50");
    server.stop().await.unwrap();
    server.start().await.unwrap();
    assert_eq!(shown("max_connections").await, "33");

    server.stop().await.unwrap();
    server.write(&Parameters::from([("work_mem".into(), "nonsense".into())])).unwrap();
    assert!(matches!(server.start().await, Err(Error::Start { .. })));
}

#[tokio::test]
async fn servers_have_addresses_of_their_own_and_end_when_they_are_dropped() {
    let pool = Arc::new(pool());
    let (one, two) = tokio::join!(server(&pool, 15), server(&pool, 15));
    assert_ne!(one.ip(), two.ip());
    let ip = one.ip();
    drop(one);
    assert!(std::net::TcpStream::connect((ip, 5432)).is_err());
    assert!(std::net::TcpStream::connect((two.ip(), 5432)).is_ok());
}

#[test]
fn the_nearest_installed_version_stands_in_for_one_that_is_not_installed() {
    let newest = nearest(u32::MAX).unwrap().major;
    assert_eq!(nearest(newest).unwrap().major, newest);
    assert_eq!(nearest(newest + 7).unwrap().major, newest);
}

/// What an operator leaves in a server: roles, databases with rights and marks, extensions; and tables with rows.
const CONTENT: [&str; 12] = [
    "CREATE ROLE orders LOGIN PASSWORD 'orders-password' CONNECTION LIMIT 7",
    "COMMENT ON ROLE orders IS 'a mark'",
    "CREATE ROLE reader",
    "GRANT reader TO orders",
    "GRANT orders TO app_admin",
    "CREATE DATABASE orders OWNER orders",
    "COMMENT ON DATABASE orders IS 'a mark'",
    "REVOKE ALL ON DATABASE orders FROM PUBLIC",
    "GRANT CONNECT ON DATABASE orders TO reader",
    "ALTER DATABASE orders SET work_mem = '5MB'",
    "ALTER ROLE orders IN DATABASE orders SET search_path = sales, public",
    "ALTER ROLE orders SET statement_timeout = '7s'",
];
const TABLES: [&str; 8] = [
    "CREATE TABLE sales.customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \"Name\" text NOT NULL)",
    "CREATE TABLE sales.sale (id bigserial PRIMARY KEY, customer int REFERENCES sales.customer, more sales.hstore, \
     price numeric CHECK (price > 0), twice numeric GENERATED ALWAYS AS (price * 2) STORED)",
    "CREATE INDEX by_price ON sales.sale (price) WHERE price > 1",
    "CREATE VIEW sales.large AS SELECT * FROM sales.sale WHERE price > 2",
    "INSERT INTO sales.customer (\"Name\") VALUES (E'a\\tb'), (NULLIF('c', 'd'))",
    "INSERT INTO sales.sale (customer, more, price) VALUES (1, 'a=>1', 1.5), (2, NULL, 3)",
    "GRANT SELECT ON sales.large TO reader",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT ON TABLES TO reader",
];
/// Everything that must be the same afterwards, in one text.
const SEEN: &str = "SELECT concat_ws(E'\\n', \
    (SELECT string_agg(rolname || rolconnlimit || rolcanlogin || rolcreaterole || coalesce(rolpassword, '-') || \
        coalesce(shobj_description(oid, 'pg_authid'), '-'), ',' ORDER BY rolname) FROM pg_authid WHERE rolname !~ '^pg_'), \
    (SELECT string_agg(pg_get_userbyid(roleid) || '>' || pg_get_userbyid(member), ',' \
        ORDER BY pg_get_userbyid(roleid), pg_get_userbyid(member)) FROM (SELECT DISTINCT roleid, member FROM \
        pg_auth_members WHERE pg_get_userbyid(member) !~ '^pg_') m), \
    (SELECT string_agg(datname || pg_get_userbyid(datdba) || coalesce(shobj_description(oid, 'pg_database'), '-'), ',' \
        ORDER BY datname) FROM pg_database), \
    has_database_privilege('reader', 'orders', 'CONNECT'), has_database_privilege('app_admin', 'orders', 'CREATE'), \
    (SELECT string_agg(setconfig::text, ',' ORDER BY setconfig::text) FROM pg_db_role_setting), \
    (SELECT string_agg(c::text, ',' ORDER BY id) FROM sales.customer c), \
    (SELECT string_agg(c::text, ',' ORDER BY id) FROM sales.large c), (SELECT sum(twice) FROM sales.sale), \
    (SELECT string_agg(conname || pg_get_constraintdef(oid), ',' ORDER BY conname) FROM pg_constraint WHERE conrelid = \
        'sales.sale'::regclass AND contype <> 'n'), \
    pg_get_indexdef('sales.by_price'::regclass), has_table_privilege('reader', 'sales.large', 'SELECT'), \
    pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = 'sales.sale'::regclass)))";

#[rstest::rstest]
#[case::all_the_way(12, 18)]
#[case::over_the_public_schema_of_15(14, 15)]
#[case::over_the_memberships_of_16(15, 16)]
#[case::with_the_memberships_of_16(16, 18)]
#[tokio::test]
async fn a_later_major_version_takes_over_what_is_there(#[case] from: u32, #[case] to: u32) {
    let pool = pool();
    let old = server(&pool, from).await;
    if old.major() != from || nearest(to).unwrap().major != to {
        println!("skipped: PostgreSQL {from} and {to} are not both installed");
        return;
    }
    let ca = pool.authorities().bundle();
    let client = login(&ca, &old, "first'\\pw", "postgres").await.unwrap();
    for statement in CONTENT {
        client.batch_execute(statement).await.unwrap();
    }
    let client = login(&ca, &old, "first'\\pw", "orders").await.unwrap();
    // By the cloud's own role: in PostgreSQL 12 nobody else can make extensions.
    old.sql("orders", "CREATE SCHEMA sales AUTHORIZATION app_admin").await.unwrap();
    old.sql("orders", "CREATE EXTENSION hstore SCHEMA sales").await.unwrap();
    old.sql("postgres", "GRANT CREATE ON DATABASE orders TO app_admin").await.unwrap();
    for statement in TABLES {
        client.batch_execute(statement).await.unwrap();
    }
    drop(client);
    let before = old.ask("orders", SEEN).await.unwrap();
    let (ip, parameters) = (old.ip(), Parameters::from([("work_mem".into(), "6144".into())]));
    let new = carry_over(&old, to, &parameters).await.unwrap();
    assert!(!old.runs() && new.major() == to && new.ip() == ip);
    assert_eq!(new.ask("orders", SEEN).await.unwrap(), before);

    let client = login(&ca, &new, "first'\\pw", "orders").await.unwrap();
    client.batch_execute("INSERT INTO sales.sale (customer, price) VALUES (1, 9)").await.unwrap();
    client.batch_execute("INSERT INTO sales.customer (\"Name\") VALUES ('e')").await.unwrap();
    let row = client
        .query_one("SELECT max(id), (SELECT max(id) FROM sales.customer) FROM sales.sale", &[])
        .await
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i32>(1)), (3, 3), "sequences go on where they stood");
    let bad = client.batch_execute("INSERT INTO sales.sale (customer, price) VALUES (1, -9)").await;
    assert!(bad.is_err());
}

/// Run by the test below in a process of its own, which is then killed.
#[tokio::test]
async fn helper_that_is_killed() {
    if std::env::var_os("CLOUDS_TEST_HELPER").is_none() {
        return;
    }
    let server = server(&pool(), 15).await;
    println!("address {}", server.ip());
    tokio::time::sleep(std::time::Duration::from_secs(120)).await;
}

#[test]
fn a_killed_process_leaves_no_server_behind() {
    use std::io::{BufRead, BufReader};
    let mut helper = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["helper_that_is_killed", "--exact", "--nocapture"])
        .env("CLOUDS_TEST_HELPER", "1")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let address = BufReader::new(helper.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("address ").map(|(_, ip)| ip.trim().to_owned()))
        .expect("the helper tells its address");
    let ip: std::net::Ipv4Addr = address.parse().unwrap();
    assert!(std::net::TcpStream::connect((ip, 5432)).is_ok());
    helper.kill().unwrap();
    helper.wait().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::net::TcpStream::connect((ip, 5432)).is_ok() {
        assert!(std::time::Instant::now() < deadline, "PostgreSQL at {ip} outlives its owner");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
