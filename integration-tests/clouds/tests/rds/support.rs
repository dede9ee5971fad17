//! What the tests of the simulated RDS share: calls by hand, waits, logins.

use std::time::{Duration, Instant};

use clouds::rds::Simulator;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Who signs, for which region.
pub struct Signer<'a> {
    pub key: &'a str,
    pub region: &'a str,
    pub token: Option<&'a str>,
}

pub const SIGNER: Signer<'static> = Signer { key: "AKID", region: "eu-central-1", token: None };

/// Status and body; none if the connection was closed before the end of the answer.
pub async fn call(simulator: &Simulator, action: &str, fields: &[(&str, &str)]) -> Option<(u16, String)> {
    call_as(simulator, &SIGNER, "2014-10-31", action, fields).await
}

pub async fn call_as(
    simulator: &Simulator,
    signer: &Signer<'_>,
    version: &str,
    action: &str,
    fields: &[(&str, &str)],
) -> Option<(u16, String)> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", action)
        .append_pair("Version", version)
        .extend_pairs(fields)
        .finish();
    let service = if version.starts_with("2011") { "sts" } else { "rds" };
    let token = signer.token.map(|token| format!("x-amz-security-token: {token}\r\n")).unwrap_or_default();
    let head = format!(
        "authorization: AWS4-HMAC-SHA256 Credential={}/20260101/{}/{service}/aws4_request, SignedHeaders=host, \
         Signature=00\r\n{token}",
        signer.key, signer.region
    );
    send(simulator, "POST / HTTP/1.1", &head, &body).await
}

pub async fn send(simulator: &Simulator, line: &str, head: &str, body: &str) -> Option<(u16, String)> {
    let host = simulator.endpoint().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "{line}\r\nhost: {host}\r\nconnection: close\r\n{head}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    // In chunks: whole only with the last, empty one.
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        let mut text = String::new();
        let mut rest = body;
        loop {
            let (size, after) = rest.split_once("\r\n")?;
            let size = usize::from_str_radix(size, 16).ok()?;
            if size == 0 {
                return Some((status, text));
            }
            text.push_str(after.get(..size)?);
            rest = after.get(size + 2..)?;
        }
    }
    Some((status, body.to_owned()))
}

/// The body of an answer that must be a success.
pub async fn done(simulator: &Simulator, action: &str, fields: &[(&str, &str)]) -> String {
    let (status, body) = call(simulator, action, fields).await.expect("an answer");
    assert_eq!(status, 200, "{action}: {body}");
    body
}

/// The code of an answer that must be a refusal.
pub async fn refused(simulator: &Simulator, action: &str, fields: &[(&str, &str)]) -> String {
    let (status, body) = call(simulator, action, fields).await.expect("an answer");
    assert_ne!(status, 200, "{action}: {body}");
    text(&body, "Code").expect("a code")
}

/// The text of the first such element.
pub fn text(body: &str, element: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{element}>"))?;
    rest.split('<').next().map(str::to_owned)
}

pub const SHOP: [(&str, &str); 8] = [
    ("DBInstanceIdentifier", "team-shop"),
    ("Engine", "postgres"),
    ("EngineVersion", "15"),
    ("DBInstanceClass", "db.t3.micro"),
    ("MasterUsername", "app_admin"),
    ("MasterUserPassword", "first-password"),
    ("Tags.Tag.1.Key", "team"),
    ("Tags.Tag.1.Value", "a"),
];
pub const ID: [(&str, &str); 1] = [("DBInstanceIdentifier", "team-shop")];

/// `SHOP` with these fields, in place of its own of the same name.
pub fn shop<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<_> =
        SHOP.iter().copied().filter(|(name, _)| !more.iter().any(|(own, _)| own == name)).collect();
    fields.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    fields
}

/// The shop, made and available.
pub async fn available_shop(simulator: &Simulator, more: &[(&str, &str)]) {
    done(simulator, "CreateDBInstance", &shop(more)).await;
    until(simulator, "available").await;
}

pub async fn until(simulator: &Simulator, status: &str) {
    instance_until(simulator, "team-shop", status).await;
}

pub async fn instance_until(simulator: &Simulator, id: &str, status: &str) {
    let now = || simulator.instance(id).map(|it| it.status);
    wait(&format!("{id} is {status}"), || now().as_deref() == Some(status), || format!("{:?}", now())).await;
}

/// Until it holds; fails after two minutes, as nothing takes so long.
pub async fn wait(what: &str, holds: impl Fn() -> bool, seen: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}; {}", seen());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A session of the master user at this address.
pub async fn login(
    simulator: &Simulator,
    host: &str,
    password: &str,
) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    login_trusting(&simulator.ca_pem(), host, password).await
}

/// The same, if its certificate comes from one of these authorities.
pub async fn login_trusting(
    authorities: &str,
    host: &str,
    password: &str,
) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(authorities.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let mut config = tokio_postgres::Config::new();
    config.host(host).user("app_admin").password(password).dbname("postgres");
    config.ssl_mode(tokio_postgres::config::SslMode::Require);
    let (client, connection) = config.connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls)).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Where the shop answers.
pub async fn host(simulator: &Simulator) -> String {
    text(&done(simulator, "DescribeDBInstances", &ID).await, "Address").expect("an address")
}

pub async fn logs_in(simulator: &Simulator, password: &str) -> bool {
    login(simulator, &host(simulator).await, password).await.is_ok()
}

/// A value as the shop's PostgreSQL has it.
pub async fn shown(simulator: &Simulator, name: &str) -> String {
    let client = login(simulator, &host(simulator).await, "first-password").await.unwrap();
    client.query_one(&format!("SHOW {name}"), &[]).await.unwrap().get(0)
}
