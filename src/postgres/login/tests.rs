#![allow(clippy::unwrap_used)]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair};
use rstest::rstest;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::scram::{Binding, Broken, Exchange, Keys};
use super::*;
use crate::postgres::{SqlErrorKind, TlsMode, verify_login};
use crate::secrets::Password;

const NONCE: &str = "9IZ2O01zb9IgiIZ1WJ/zgpJB";
const FIRST: &str = "r=9IZ2O01zb9IgiIZ1WJ/zgpJBjx/oIRLs02gGSHcw1KEty3eY,s=fs3IXBy7U7+IvVjZ,i=4096";

fn exchange(binding: Binding) -> Exchange {
    Exchange::new(NONCE.to_owned(), binding)
}

fn foobar(salt: &[u8], rounds: NonZeroU32) -> Keys {
    Keys::derive(b"foobar", salt, rounds)
}

/// A login that PostgreSQL took, recorded by the driver's authors.
#[test]
fn a_recorded_login_is_repeated_word_for_word() {
    let exchange = exchange(Binding::Impossible);
    assert_eq!(exchange.first(), "n,,n=,r=9IZ2O01zb9IgiIZ1WJ/zgpJB");
    let (answer, expected) = exchange.answer(FIRST.as_bytes(), foobar).unwrap();
    assert_eq!(
        answer,
        "c=biws,r=9IZ2O01zb9IgiIZ1WJ/zgpJBjx/oIRLs02gGSHcw1KEty3eY,p=AmNKosjJzS31NTlQYNs5BTeQjdHdk7lOflDo5re2an8="
    );
    expected.check(b"v=U+ppxD5XUKtradnv8e2MkeupiA8FU87Sg8CXzXHDAzw=").unwrap();
}

#[rstest]
#[case::another_signature("v=U+ppxD5XUKtradnv8e2MkeupiA8FU87Sg8CXzXHDAzx=", Broken::Unreadable)]
#[case::of_another_password("v=AmNKosjJzS31NTlQYNs5BTeQjdHdk7lOflDo5re2an8=", Broken::Unproven)]
#[case::empty("v=", Broken::Unproven)]
#[case::error("e=invalid-proof", Broken::Refused)]
#[case::nothing("", Broken::Unreadable)]
fn a_server_that_does_not_know_the_password_is_found_out(#[case] last: &str, #[case] why: Broken) {
    let (_, expected) = exchange(Binding::Impossible).answer(FIRST.as_bytes(), foobar).unwrap();
    assert_eq!(expected.check(last.as_bytes()), Err(why));
}

#[rstest]
#[case::another_nonce("r=9IZ2O01zb9IgiIZ1WJ,s=fs3IXBy7U7+IvVjZ,i=4096", Broken::Foreign)]
#[case::no_salt("r=9IZ2O01zb9IgiIZ1WJ/zgpJBx,i=4096", Broken::Unreadable)]
#[case::more_than_that("r=9IZ2O01zb9IgiIZ1WJ/zgpJBx,s=fs3I,i=4096,m=1", Broken::Unreadable)]
#[case::no_rounds("r=9IZ2O01zb9IgiIZ1WJ/zgpJBx,s=fs3I,i=0", Broken::Unreadable)]
#[case::too_many("r=9IZ2O01zb9IgiIZ1WJ/zgpJBx,s=fs3I,i=100001", Broken::TooManyRounds)]
#[case::no_base64("r=9IZ2O01zb9IgiIZ1WJ/zgpJBx,s=?,i=4096", Broken::Unreadable)]
fn nothing_is_hashed_for_a_message_that_is_none(#[case] first: &str, #[case] why: Broken) {
    let answer = exchange(Binding::NotOffered).answer(first.as_bytes(), |_, _| panic!("hashed"));
    assert_eq!(answer.map(drop), Err(why));
}

#[test]
fn a_login_that_is_bound_to_a_certificate_says_so_in_what_is_signed() {
    let said = |binding: Binding| exchange(binding).answer(FIRST.as_bytes(), foobar).unwrap().0;
    let all = [
        said(Binding::NotOffered),
        said(Binding::Impossible),
        said(Binding::Certificate(vec![1])),
        said(Binding::Certificate(vec![2])),
    ];
    let proofs: std::collections::BTreeSet<&str> =
        all.iter().map(|said| said.rsplit_once(',').unwrap().1).collect();
    assert_eq!(proofs.len(), all.len(), "{all:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Another implementation makes the verifier that servers store: our keys must be the ones behind it.
    #[test]
    fn keys_are_those_that_a_server_stores(password in "[ -~]{1,40}") {
        let verifier = postgres_protocol::password::scram_sha_256(password.as_bytes());
        let rest = verifier.strip_prefix("SCRAM-SHA-256$").unwrap();
        let (rounds, rest) = rest.split_once(':').unwrap();
        let (salt, stored) = rest.split_once('$').unwrap();
        let salt = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, salt).unwrap();
        let keys = keys::of(password.as_bytes(), &salt, rounds.parse().unwrap());
        prop_assert_eq!(keys.as_stored(), stored);
    }
}

#[test]
fn a_password_is_hashed_once() {
    let rounds = NonZeroU32::new(1_000_000).unwrap();
    let timed = || {
        let since = Instant::now();
        std::hint::black_box(keys::of(b"hashed once", b"salt", rounds));
        since.elapsed()
    };
    let (first, second) = (timed(), timed());
    assert!(second < first / 10, "{first:?}, then {second:?}");
}

/// A server that lets `script` answer each of our messages: what it says, in the protocol's frames.
async fn server(script: impl FnOnce(usize, &[u8]) -> Vec<u8> + Clone + Send + 'static) -> Endpoint {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.der().to_vec())],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.read_exact(&mut [0; 8]).await.unwrap();
        peer.write_all(b"S").await.unwrap();
        let mut peer = TlsAcceptor::from(Arc::new(config)).accept(peer).await.unwrap();
        for step in 0.. {
            let mut heard = vec![0; 4096];
            let length = peer.read(&mut heard).await.unwrap_or_default();
            if length == 0 {
                return;
            }
            peer.write_all(&script.clone()(step, &heard[..length])).await.unwrap();
            peer.flush().await.unwrap();
        }
    });
    Endpoint { host: "127.0.0.1".to_owned(), port, tls: TlsMode::Require }
}

/// A message about authentication.
fn authentication(kind: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(8 + data.len()).unwrap();
    [b"R".as_slice(), &length.to_be_bytes(), &kind.to_be_bytes(), data].concat()
}

/// A server that takes every proof and has no own.
fn impostor(step: usize, heard: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(heard).into_owned();
    match step {
        0 => authentication(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"),
        1 => {
            let (_, nonce) = text.rsplit_once("r=").unwrap();
            authentication(11, format!("r={nonce}more,s=fs3IXBy7U7+IvVjZ,i=4096").as_bytes())
        }
        2 => [authentication(12, b"v=AmNKosjJzS31NTlQYNs5BTeQjdHdk7lOflDo5re2an8="), authentication(0, b"")]
            .concat(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn an_impostor_gets_no_session() {
    let password = Password::new("secret");
    let login = crate::postgres::Login { user: "any", password: Some(&password), dbname: "any" };
    let error = verify_login(&server(impostor).await, &login).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::Other, "{error}");
    assert!(error.to_string().contains("does not prove that it knows the password"), "{error}");
}

#[rstest]
#[case::endless(b"R\x7f\xff\xff\xff\0\0\0\x0a".to_vec(), "too long for a login")]
#[case::of_no_length(b"R\0\0\0\x01\0\0\0\x0a".to_vec(), "length")]
#[case::an_error(b"E\0\0\0\x1fSFATAL\0C53300\0Mtoo many\0\0".to_vec(), "53300")]
#[tokio::test]
async fn what_is_no_offer_of_scram_is_an_error_and_not_waited_for(
    #[case] answer: Vec<u8>,
    #[case] says: &str,
) {
    let password = Password::new("secret");
    let login = crate::postgres::Login { user: "any", password: Some(&password), dbname: "any" };
    let mut answer = answer;
    if answer[0] == b'E' {
        let length = u32::try_from(answer.len() - 1).unwrap();
        answer[1..5].copy_from_slice(&length.to_be_bytes());
    }
    let endpoint = server(move |_, _| answer).await;
    let error = tokio::time::timeout(Duration::from_secs(10), verify_login(&endpoint, &login)).await.unwrap();
    let error = error.unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

/// What the driver does better is left to it: here, the password in clear text.
#[rstest]
#[case("secret")]
#[case("sécret")]
#[tokio::test]
async fn a_server_that_asks_for_the_password_itself_hears_it_from_the_driver(#[case] password: &'static str) {
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = heard.clone();
    let endpoint = server(move |step, message: &[u8]| {
        hears.lock().unwrap().push(message.to_vec());
        match step {
            0 => authentication(3, b""),
            1 => [authentication(0, b""), b"Z\0\0\0\x05I".to_vec()].concat(),
            2 => b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I".to_vec(),
            _ => Vec::new(),
        }
    })
    .await;
    let secret = Password::new(password);
    let login = crate::postgres::Login { user: "any", password: Some(&secret), dbname: "any" };
    verify_login(&endpoint, &login).await.unwrap();
    for _ in 0..100 {
        if heard.lock().unwrap().len() == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let heard = heard.lock().unwrap();
    let starts = heard.iter().filter(|message| message.windows(4).any(|part| part == b"user")).count();
    assert_eq!(starts, 1, "the start of the connection is said once");
    assert!(heard[1].windows(password.len()).any(|part| part == password.as_bytes()));
    assert_eq!(heard[3][0], b'X', "it says goodbye");
}
