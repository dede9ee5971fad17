//! Any content of Secrets, and what is written for any login.
#![no_main]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use hcpg::secrets::{
    ConnectionFacts, ISSUED_AT, ORIGINAL_KEYS, Password, PendingPassword, Recognised, SecretOwner,
    password_in,
};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use libfuzzer_sys::fuzz_target;
use tokio_postgres::config::Host;

/// libpq's, as far as tokio-postgres knows them.
const SSL_MODES: [&str; 3] = ["disable", "prefer", "require"];

struct Input {
    facts: ConnectionFacts,
    password: String,
    owner: SecretOwner,
    found: Secret,
}

impl Input {
    /// Facts first, then what is found: pairs of key and value; a key that begins with `#` is a label, with `@` an
    /// annotation.
    fn read(data: &[u8]) -> Self {
        let mut parts = data.split(|byte| *byte == 0);
        let mut next = || parts.next().unwrap_or_default();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (host, port, username, dbname, password) =
            (text(next()), text(next()), text(next()), text(next()), text(next()));
        let (ssl, uid, name) = (next().len(), text(next()), text(next()));
        let facts = ConnectionFacts {
            username,
            dbname,
            host: if is_host(&host) { host } else { "db.example".to_owned() },
            port: port.parse().unwrap_or(5432),
            sslmode: SSL_MODES[ssl % SSL_MODES.len()].to_owned(),
            provider: "local".to_owned(),
            ca_pem: (ssl % 2 == 0).then(|| "PEM".to_owned()),
        };
        let mut found = Secret::default();
        let (mut entries, mut labels, mut annotations) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        while let (Some(key), value) = (parts.next(), parts.next().unwrap_or_default()) {
            let key = text(key);
            match (key.strip_prefix('#'), key.strip_prefix('@')) {
                (Some(label), _) => drop(labels.insert(label.to_owned(), text(value))),
                (_, Some(annotation)) => drop(annotations.insert(annotation.to_owned(), text(value))),
                _ => drop(entries.insert(key, ByteString(value.to_vec()))),
            }
        }
        found.data = (!entries.is_empty()).then_some(entries);
        found.metadata.labels = (!labels.is_empty()).then_some(labels);
        found.metadata.annotations = Some(annotations);
        let owner = SecretOwner { kind: "PostgreSQLDatabase", namespace: "team".to_owned(), name, uid };
        Self { facts, password, owner, found }
    }
}

/// What a backend may name: an address or a host name. IPv6 zones mean nothing on another machine.
fn is_host(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok() || hcpg_fuzz::is_kubernetes_name(host)
}

fuzz_target!(|data: &[u8]| {
    let input = Input::read(data);
    reading(&input);
    // Nobody has an empty name or password: both are refused before.
    if !input.facts.username.is_empty() && !input.facts.dbname.is_empty() && !input.password.is_empty() {
        writing(&input);
    }
});

/// Whatever stands in a Secret is read without harm, and recognised for what it is.
fn reading(Input { facts, owner, found, .. }: &Input) {
    let bytes =
        |key: &str| found.data.as_ref().and_then(|data| data.get(key)).map(|value| value.0.as_slice());
    let label = |key: &str| found.metadata.labels.as_ref().and_then(|labels| labels.get(key));
    let mark = label("hybridcloud.maibornwolff.de/owner-uid");
    let password = password_in(found);
    let written = bytes("password").and_then(|value| std::str::from_utf8(value).ok());
    assert_eq!(password.as_ref().map(Password::expose), written.filter(|text| !text.is_empty()));

    let marked = mark == Some(&owner.uid);
    match facts.recognise(owner, found) {
        Recognised::Ours => assert!(marked),
        Recognised::Inherited => {
            assert!(!marked && ORIGINAL_KEYS.iter().all(|key| bytes(key).is_some()));
            assert_eq!(bytes("host"), Some(facts.host.as_bytes()));
            assert_eq!(bytes("username"), Some(facts.username.as_bytes()));
            assert_eq!(bytes("dbname"), Some(facts.dbname.as_bytes()));
            let named = label("hybridcloud.maibornwolff.de/owner-name") == Some(&owner.name);
            assert!(mark.is_none() || named, "inherited from another object");
        }
        Recognised::Foreign => assert!(!marked),
    }
    match PendingPassword::read(owner, found) {
        Ok(pending) => {
            assert!(marked);
            assert_eq!(Some(pending.password), password);
            assert!(pending.settles.iter().all(|one| !one.is_empty() && !one.contains(',')));
            let issued = found.metadata.annotations.as_ref().and_then(|all| all.get(ISSUED_AT)?.parse().ok());
            assert!(issued.is_none_or(|at| pending.issued_at == at));
        }
        Err(error) => {
            assert!(!marked || password.is_none());
            let said = error.to_string();
            // Names of objects are told; a password that is one of them is no secret. Short ones may be in any sentence.
            let told = |text: &str| text.len() < 12 || owner.uid.contains(text) || owner.name.contains(text);
            assert!(password.is_none_or(|secret| told(secret.expose()) || !said.contains(secret.expose())));
        }
    }
    if let Some(password) = password_in(found)
        && facts.is_published_in(owner, found, &password)
    {
        assert!(marked);
        assert!(facts.data(&password).iter().all(|(key, value)| bytes(key) == Some(&value.0)));
    }
}

/// What is written is understood by those who read it.
fn writing(Input { facts, password, owner, .. }: &Input) {
    let clear = password.as_str();
    let password = Password::new(clear);
    let data = facts.data(&password);
    let text = |key: &str| std::str::from_utf8(&data[key].0).unwrap();
    for key in ["uri", "uri-verify-full"].into_iter().filter(|key| data.contains_key(*key)) {
        // tokio-postgres does not know this mode.
        let uri = text(key).replace("sslmode=verify-full", "sslmode=require");
        let read = tokio_postgres::Config::from_str(&uri).unwrap_or_else(|error| panic!("{uri}: {error}"));
        assert_eq!(read.get_hosts(), [Host::Tcp(facts.host.clone())], "{uri}");
        assert_eq!(read.get_ports(), [facts.port], "{uri}");
        assert_eq!(read.get_user(), Some(facts.username.as_str()), "{uri}");
        assert_eq!(read.get_dbname(), Some(facts.dbname.as_str()), "{uri}");
        assert_eq!(read.get_password(), Some(clear.as_bytes()), "{uri}");
    }
    let jdbc = text("jdbc-uri");
    assert!(jdbc.bytes().all(|byte| byte.is_ascii_graphic()), "{jdbc}");
    assert_eq!(jdbc.matches(['&', '?']).count(), 3, "{jdbc}");
    // A file that libpq reads must not say something else: it may only be missing.
    if data.contains_key("pgpass") {
        let pgpass = text("pgpass");
        let port = facts.port.to_string();
        let expected = [facts.host.as_str(), &port, &facts.dbname, &facts.username, clear].map(str::to_owned);
        assert_eq!(lines_of_pgpass(pgpass), [expected.to_vec()], "{pgpass:?}");
    } else {
        let awkward = |text: &str| text.contains(['\n', '\r']);
        assert!([clear, &facts.username, &facts.dbname].into_iter().any(awkward), "no pgpass for {clear:?}");
    }

    let mut secret = Secret { data: Some(data), ..Secret::default() };
    secret.metadata.labels = Some(owner.labels());
    assert_eq!(facts.recognise(owner, &secret), Recognised::Ours);
    assert_eq!(password_in(&secret), Some(password.clone()));
    assert!(facts.is_published_in(owner, &secret, &password));
    let keys: Vec<String> = secret.data.iter().flatten().map(|(key, _)| key.clone()).collect();
    for key in keys {
        let mut meddled = secret.clone();
        if let Some(value) = meddled.data.as_mut().and_then(|data| data.get_mut(&key)) {
            value.0.push(b'x');
        }
        assert!(!facts.is_published_in(owner, &meddled, &password), "{key} was changed");
    }
}

/// The lines as `passwordFromFile` of libpq takes them apart.
fn lines_of_pgpass(text: &str) -> Vec<Vec<String>> {
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    lines
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .map(|line| {
            let (mut fields, mut characters) = (vec![String::new()], line.chars().peekable());
            while let Some(character) = characters.next() {
                let last = fields.last_mut().unwrap();
                match character {
                    '\\' => last.push(characters.next().unwrap_or('\\')),
                    ':' => fields.push(String::new()),
                    other => last.push(other),
                }
            }
            fields
        })
        .collect()
}
