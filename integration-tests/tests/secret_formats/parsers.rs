//! The programs and libraries that read the Secret's texts in applications.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use integration_tests::jdbc::login_program;
use integration_tests::world::trusting;
use k8s_openapi::ByteString;
use serde_json::Value;

use super::Data;

/// Who came in and where, or why nobody did.
pub type Answer = Result<(String, String), String>;

/// One text of a Secret, as text.
pub fn text(data: &Data, key: &str) -> String {
    String::from_utf8(data[key].0.clone()).unwrap()
}

/// `uri`, by libpq.
pub fn libpq_uri(data: &Data, folder: &Path) -> Answer {
    psql(folder, |command| command.args(["--dbname", &text(data, "uri")]))
}

/// `uri-verify-full` with `ca.crt`, by libpq.
pub fn libpq_verify_full(data: &Data, folder: &Path) -> Answer {
    let ca = folder.join("ca.crt");
    fs::write(&ca, &data["ca.crt"].0).unwrap();
    psql(folder, |command| {
        command.args(["--dbname", &text(data, "uri-verify-full")]).env("PGSSLROOTCERT", &ca)
    })
}

/// `pgpass` as a file, the rest out of the keys that name it, by libpq.
pub fn libpq_pgpass(data: &Data, folder: &Path) -> Answer {
    let file = folder.join("pgpass");
    fs::write(&file, &data["pgpass"].0).unwrap();
    // libpq ignores a file that others may read.
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    psql(folder, |command| {
        // Not as arguments: psql takes a database's name there for a connection string if it looks like one.
        for (variable, key) in [
            ("PGHOST", "host"),
            ("PGPORT", "port"),
            ("PGDATABASE", "dbname"),
            ("PGUSER", "username"),
            ("PGSSLMODE", "sslmode"),
        ] {
            command.env(variable, text(data, key));
        }
        command.env("PGPASSFILE", &file)
    })
}

/// psql with nothing but what is told: no variables, no files of the user.
fn psql(home: &Path, told: impl FnOnce(&mut Command) -> &mut Command) -> Answer {
    let mut command = Command::new("psql");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("PGCLIENTENCODING", "UTF8")
        .env("PGCONNECT_TIMEOUT", "60")
        .args(["--no-psqlrc", "--no-password", "--tuples-only", "--no-align"])
        .args(["--command", "SELECT json_build_array(current_user::text, current_database()::text)"])
        .stdin(Stdio::null());
    let output = told(&mut command).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

/// `uri`, by tokio-postgres.
pub async fn tokio_postgres_uri(data: &Data) -> Answer {
    let config: tokio_postgres::Config =
        text(data, "uri").parse().map_err(|error: tokio_postgres::Error| format!("{error:?}"))?;
    let tls = trusting(&text(data, "ca.crt")).unwrap();
    let (client, connection) = config.connect(tls).await.map_err(|error| format!("{error:?}"))?;
    let connection = tokio::spawn(connection);
    let row = client.query_one("SELECT current_user::text, current_database()::text", &[]).await.unwrap();
    connection.abort();
    Ok((row.get(0), row.get(1)))
}

/// `jdbc-uri`, by pgjdbc: all of them in one run of the program.
pub fn pgjdbc(driver: &Path, all: &[Data]) -> Vec<Answer> {
    let urls: String =
        all.iter().map(|data| format!("{}\n", as_base64(data["jdbc-uri"].0.clone()))).collect();
    let mut java = Command::new("java")
        // A short life: compiling for speed does not pay.
        .args(["-XX:TieredStopAtLevel=1", "-cp"])
        .args([driver, &login_program()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = java.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(urls.as_bytes()));
    let Output { status, stdout, stderr } = java.wait_with_output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    writer.join().unwrap().unwrap();
    String::from_utf8(stdout).unwrap().lines().map(java_answer).collect()
}

fn java_answer(line: &str) -> Answer {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["in", user, database] => Ok((from_base64(user), from_base64(database))),
        ["refused", reason] => Err(from_base64(reason)),
        _ => panic!("{line}"),
    }
}

fn as_base64(bytes: Vec<u8>) -> String {
    let Value::String(text) = serde_json::to_value(ByteString(bytes)).unwrap() else { unreachable!() };
    text
}

fn from_base64(text: &str) -> String {
    let bytes: ByteString = serde_json::from_value(Value::String(text.to_owned())).unwrap();
    String::from_utf8(bytes.0).unwrap()
}
