//! Objects have awkward names, and applications log in all the same, with nothing but the Secret.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer, Reason};
use hcpg::secrets::field;
use integration_tests::world::{SharedWorld, Story, secret_of};
use kube::ResourceExt;

static WORLD: SharedWorld = SharedWorld::new();

/// The programs of an application's image.
fn psql() -> Command {
    let packaged = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = packaged.map(|version| version.path().join("bin/psql")).find(|path| path.is_file());
    let mut command = Command::new(found.unwrap_or_else(|| PathBuf::from("psql")));
    // Nothing of this machine's own settings.
    command.env_clear().env("HOME", "/nonexistent").args(["-X", "-q", "-A", "-t", "-w"]);
    command.args(["-v", "ON_ERROR_STOP=1"]);
    command
}

/// What psql answers to `script`.
fn ask(mut psql: Command, script: &str) -> String {
    let mut child = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "psql: {errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    // libpq reads no password out of a file that others may read.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Every form of the credentials in the Secret of this object logs in, as whom and to where the Secret says.
async fn everything_logs_in(story: &Story<'_>, server: &str, object: &str) {
    const WHO: &str = "SELECT current_user || ' in ' || current_database();\n";
    let credentials = story.credentials(&secret_of(object)).await;
    let expected = format!("{} in {}", credentials.username, credentials.dbname);
    let client = credentials.connect().await.unwrap();
    let row = client.query_one("SELECT current_user || ' in ' || current_database()", &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), expected);

    let secret = story.secret(&secret_of(object)).await.unwrap();
    let text = |key: &str| field(&secret, key).unwrap_or_else(|| panic!("there is no {key}"));
    let folder = tempfile::tempdir().unwrap();
    let service = format!(
        "[app]\nhost={}\nport={}\ndbname={}\nuser={}\nsslmode={}\n",
        text("host"),
        text("port"),
        text("dbname"),
        text("username"),
        text("sslmode")
    );
    let ca = file(folder.path(), "ca.crt", &text("ca.crt"));
    let mut by_pgpass = psql();
    by_pgpass
        .env("PGPASSFILE", file(folder.path(), "pgpass", &text("pgpass")))
        .env("PGSERVICEFILE", file(folder.path(), "service", &service))
        .env("PGSERVICE", "app");
    assert_eq!(ask(by_pgpass, WHO), expected, "pgpass");

    // Not as an argument, where everybody on the host could read it: psql starts elsewhere and goes there.
    let local = story.local_server(server);
    for key in ["uri", "uri-verify-full"] {
        let mut by_uri = psql();
        by_uri.arg("-h").arg(local.folder().join("socket")).args(["-p", &local.port().to_string()]);
        by_uri.args(["-U", "hcpg_superuser", "-d", "postgres"]).env("PGSSLROOTCERT", &ca);
        let there = format!("\\connect -reuse-previous=off '{}'\n{WHO}", text(key));
        assert_eq!(ask(by_uri, &there), expected, "{key}");
    }
}

#[tokio::test]
async fn awkward_names_are_fine() {
    let story = WORLD.get().await.story("awkward").await;
    story.plain_server("main").await;
    // A word of SQL, a dot, a digit first, a dash, as long as PostgreSQL allows.
    let longest = "l".repeat(63);
    let objects = [
        ("order", "order"),
        ("user", "user"),
        ("a.b", "a.b"),
        ("1abc", "1abc"),
        ("my-app", "my_app"),
        (&longest, &longest),
    ];
    for (object, _) in objects {
        story.plain_database(object, "main").await;
    }
    for (object, name) in objects {
        let database = story.database_ready(object).await;
        assert_eq!(database.status.unwrap().database.unwrap().name.as_deref(), Some(name));
        assert_eq!(story.credentials(&secret_of(object)).await.dbname, name);
        everything_logs_in(&story, "main", object).await;
    }
    everything_logs_in(&story, "main", "main").await;
    for (object, _) in objects {
        story.delete::<PostgreSQLDatabase>(object).await;
        story.gone::<PostgreSQLDatabase>(object).await;
    }
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    let left = "SELECT datname::text FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'
        UNION ALL SELECT rolname::text FROM pg_roles WHERE oid > 16383 AND rolname <> 'postgres'";
    let left: Vec<String> = superuser.query(left, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(left, [] as [String; 0]);
}

#[tokio::test]
async fn long_names_that_begin_alike_do_not_meet() {
    let story = WORLD.get().await.story("long").await;
    // Longer than a label of Kubernetes and than an identifier of PostgreSQL; also the server.
    let server = format!("server-{}", "s".repeat(100));
    let same = "d".repeat(63);
    let (one, two) = (format!("{same}-one"), format!("{same}-two"));
    story.plain_server(&server).await;
    story.plain_database(&one, &server).await;
    story.plain_database(&two, &server).await;
    story.server_ready(&server).await;
    everything_logs_in(&story, &server, &server).await;
    for name in [&one, &two] {
        story.database_ready(name).await;
        everything_logs_in(&story, &server, name).await;
    }
    let (first, second) =
        (story.credentials(&secret_of(&one)).await, story.credentials(&secret_of(&two)).await);
    assert_ne!(first.dbname, second.dbname);
    assert_ne!(first.username, second.username);
    assert!(first.dbname.len() <= 63 && second.dbname.len() <= 63);
    // Neither gets into the other's.
    let trespasser = integration_tests::world::Credentials { dbname: second.dbname.clone(), ..first };
    assert!(trespasser.connect().await.is_err(), "the one can enter the other's database");

    // And neither goes with the other.
    story.delete::<PostgreSQLDatabase>(&one).await;
    story.gone::<PostgreSQLDatabase>(&one).await;
    second.connect().await.unwrap();
    story.delete::<PostgreSQLDatabase>(&two).await;
    story.gone::<PostgreSQLDatabase>(&two).await;
    story.delete::<PostgreSQLServer>(&server).await;
    story.gone::<PostgreSQLServer>(&server).await;
    assert!(!story.has_local_server(&server));
    assert!(story.secret(&secret_of(&server)).await.is_none());
}

#[tokio::test]
async fn reserved_names_are_refused_and_can_be_deleted() {
    let story = WORLD.get().await.story("reserved").await;
    story.plain_server("main").await;
    story.server_ready("main").await;
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    let all = "SELECT (SELECT json_agg(d) FROM (SELECT * FROM pg_database ORDER BY oid) d)::text
        || (SELECT json_agg(r) FROM (SELECT * FROM pg_authid ORDER BY oid) r)::text";
    let state = async || -> String { superuser.query_one(all, &[]).await.unwrap().get(0) };
    let before = state().await;
    let names = ["postgres", "template0", "template1", "pg-x", "rdsadmin", "azure-x"];
    for name in names {
        story.plain_database(name, "main").await;
    }
    for name in names {
        let condition = story.database_stalled(name, Reason::ReservedName).await;
        let reserved = format!("the name \"{}\" is reserved", name.replace('-', "_"));
        assert!(condition.message.starts_with(&reserved), "{}", condition.message);
        assert!(condition.message.ends_with("give the object another name"), "{}", condition.message);
        assert_eq!(story.database(name).await.finalizers(), &[] as &[String]);
        assert!(story.secret(&secret_of(name)).await.is_none());
    }
    for name in names {
        story.delete::<PostgreSQLDatabase>(name).await;
        assert!(story.databases().get_opt(name).await.unwrap().is_none(), "{name} did not go at once");
    }
    assert_eq!(state().await, before);
}

#[tokio::test]
async fn a_reserved_name_is_refused_before_there_is_a_server() {
    let story = WORLD.get().await.story("reserved-early").await;
    story.plain_database("template1", "missing").await;
    story.database_stalled("template1", Reason::ReservedName).await;
}
