//! What the operator writes into a Secret is read by the parsers that applications use, and logs in.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cases;
mod parsers;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use futures::{StreamExt, stream};
use hcpg::secrets::{ConnectionFacts, Password};
use integration_tests::{fetched, jdbc};
use k8s_openapi::ByteString;
use parsers::Answer;
use server::Server;

/// The data of a credentials Secret.
pub type Data = BTreeMap<String, ByteString>;

/// How many logins are under way at a time.
const AT_A_TIME: usize = 4;

/// The keys and parsers, besides pgjdbc.
const LIBPQ_URI: &str = "uri, libpq";
const LIBPQ_VERIFY_FULL: &str = "uri-verify-full, libpq";
const LIBPQ_PGPASS: &str = "pgpass, libpq";
const TOKIO_POSTGRES: &str = "uri, tokio-postgres";
const PGJDBC: &str = "jdbc-uri, pgjdbc";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_format_logs_in_whatever_is_in_names_and_passwords() {
    let server = Server::start().await;
    let cases = cases::all();
    let mut databases = BTreeSet::new();
    for case in &cases {
        server.add(case, databases.insert(&case.dbname)).await;
    }
    let secrets: Vec<Data> = cases.iter().map(|case| data(&server.facts(case), &case.password)).collect();
    let answers = all_answers(&secrets).await;
    let mut wrong = Vec::new();
    for (case, answers) in cases.iter().zip(&answers) {
        let expected = Ok((case.username.clone(), case.dbname.clone()));
        let has_pgpass = answers.iter().any(|(parser, _)| *parser == LIBPQ_PGPASS);
        assert_eq!(has_pgpass, !case.password.contains(['\n', '\r']), "{case:?}");
        for (parser, answer) in answers {
            let is_refused = *parser == PGJDBC && case.password == cases::ZERO_WIDTH_SPACE;
            let as_expected = if is_refused { answer.is_err() } else { *answer == expected };
            if !as_expected {
                wrong.push(format!("{parser}: {case:?}: {answer:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} logins went wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("{} logins in {} cases", answers.iter().map(Vec::len).sum::<usize>(), cases.len());

    // The server looks at passwords, and every parser hands on the one that it reads.
    let plain = cases.first().unwrap();
    for (parser, answer) in all_answers(&[data(&server.facts(plain), "another")]).await.concat() {
        let refusal = answer.expect_err(parser);
        assert!(refusal.contains("password authentication failed"), "{parser}: {refusal}");
    }
    // And `uri-verify-full` looks at the certificate.
    let stranger = rcgen::generate_simple_self_signed(["stranger".to_owned()]).unwrap().cert.pem();
    let distrusting = ConnectionFacts { ca_pem: Some(stranger), ..server.facts(plain) };
    let folder = tempfile::tempdir().unwrap();
    let answer = parsers::libpq_verify_full(&data(&distrusting, &plain.password), folder.path());
    let refusal = answer.expect_err("nobody can vouch for the server");
    assert!(refusal.contains("certificate verify failed"), "{refusal}");
}

fn data(facts: &ConnectionFacts, password: &str) -> Data {
    facts.data(&Password::new(password))
}

/// What every parser answers to each of the Secrets.
async fn all_answers(secrets: &[Data]) -> Vec<Vec<(&'static str, Answer)>> {
    let folder = tempfile::tempdir().unwrap();
    let numbered = stream::iter(secrets.iter().cloned().enumerate());
    let by_others = numbered.map(|(at, data)| others(data, folder.path().join(at.to_string())));
    let by_others = by_others.buffered(AT_A_TIME).collect::<Vec<_>>();
    let Some(driver) = fetched::or_leave_out(jdbc::driver()) else { return by_others.await };
    let to_java = secrets.to_vec();
    let by_java = tokio::task::spawn_blocking(move || parsers::pgjdbc(&driver, &to_java));
    let (mut answers, by_java) = (by_others.await, by_java.await.unwrap());
    assert_eq!(answers.len(), by_java.len(), "each URL has an answer");
    for (answers, by_java) in answers.iter_mut().zip(by_java) {
        answers.push((PGJDBC, by_java));
    }
    answers
}

async fn others(data: Data, folder: impl AsRef<Path> + Send + 'static) -> Vec<(&'static str, Answer)> {
    let by_tokio = parsers::tokio_postgres_uri(&data).await;
    let by_libpq = tokio::task::spawn_blocking(move || {
        let folder = folder.as_ref();
        fs::create_dir(folder).unwrap();
        let mut answers = vec![
            (LIBPQ_URI, parsers::libpq_uri(&data, folder)),
            (LIBPQ_VERIFY_FULL, parsers::libpq_verify_full(&data, folder)),
        ];
        if data.contains_key("pgpass") {
            answers.push((LIBPQ_PGPASS, parsers::libpq_pgpass(&data, folder)));
        }
        answers
    });
    let mut answers = by_libpq.await.unwrap();
    answers.push((TOKIO_POSTGRES, by_tokio));
    answers
}
