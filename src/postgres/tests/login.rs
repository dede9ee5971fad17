use std::time::{Duration, Instant};

use rstest::rstest;
use tokio::net::TcpListener;

use super::*;

fn short() -> Timeouts {
    Timeouts { connect: Duration::from_millis(500), statement: Duration::from_millis(500) }
}

#[tokio::test]
async fn facts_of_the_server() {
    let facts = server_facts(&server().admin().await).await.unwrap();
    assert!(
        facts.encrypted && facts.can_manage && !facts.superuser && !facts.in_recovery && !facts.read_only
    );
    let facts = server_facts(&server().superuser("postgres").await.unwrap()).await.unwrap();
    assert!(!facts.encrypted && facts.superuser && facts.can_manage);
    assert!(facts.version.starts_with(&(facts.version_num / 10_000).to_string()));
}

#[tokio::test]
async fn every_session_is_named_and_searches_pg_catalog_only() {
    let admin = server().admin().await;
    assert_eq!(text(&admin, "SHOW search_path").await, "pg_catalog");
    assert_eq!(text(&admin, "SHOW application_name").await, "hybrid-cloud-postgresql-operator");
    assert_eq!(text(&admin, "SHOW statement_timeout").await, "1min");
}

#[tokio::test]
async fn wrong_password_is_refused() {
    let case = Case::new("login_wrong");
    case.create(&server().admin().await).await;
    let wrong = Password::new("wrong");
    let login = Login { user: "login_wrong", password: Some(&wrong), dbname: "login_wrong" };
    let error = verify_login(&server().endpoint(), &login).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::PasswordRefused);
    verify_login(&server().endpoint(), &Login { password: Some(&case.password), ..login }).await.unwrap();
}

/// Its keys are remembered: neither a change of the password nor one back may go unnoticed.
#[tokio::test]
async fn a_password_that_was_changed_is_refused_and_accepted_again_after_a_change_back() {
    let case = Case::new("login_changed");
    let admin = server().admin().await;
    case.create(&admin).await;
    let login = Login { user: "login_changed", password: Some(&case.password), dbname: "login_changed" };
    let change = async |password: &Password| {
        let form = PasswordForm::ScramVerifier;
        let owner = Adoption::OnlyMarked;
        set_role_password(&admin, &case.names, &case.uid, password, form, owner).await.unwrap();
    };
    for _ in 0..2 {
        verify_login(&server().endpoint(), &login).await.unwrap();
        change(&Password::new("another")).await;
        let error = verify_login(&server().endpoint(), &login).await.unwrap_err();
        assert_eq!(error.kind(), SqlErrorKind::PasswordRefused);
        change(&case.password).await;
    }
    verify_login(&server().endpoint(), &login).await.unwrap();
}

#[tokio::test]
async fn a_password_that_is_not_ascii_is_left_to_the_driver() {
    let mut case = Case::new("login_umlaut");
    // With a soft hyphen, which the rules for passwords drop.
    case.password = Password::new("gr\u{fc}\u{df}e\u{ad}");
    case.create(&server().admin().await).await;
    case.login().await.unwrap();
    let login = Login { user: "login_umlaut", password: Some(&case.password), dbname: "login_umlaut" };
    verify_login(&server().endpoint(), &login).await.unwrap();
}

#[tokio::test]
async fn missing_database_is_told_apart() {
    let case = Case::new("login_no_database");
    case.create_role(&server().admin().await, Adoption::OnlyMarked).await.unwrap();
    let error = case.login().await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::DatabaseMissing);
}

#[tokio::test]
async fn closed_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let endpoint = Endpoint { port, ..server().endpoint() };
    let login = Login { user: "x", password: None, dbname: "x" };
    let error = Session::open(&endpoint, &login, short()).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::Unreachable, "{error}");
}

#[rstest]
#[case(TlsMode::Disable)]
#[case(TlsMode::Require)]
#[tokio::test]
async fn silent_server_is_unreachable_within_the_timeout(#[case] tls: TlsMode) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port, tls };
    let login = Login { user: "x", password: None, dbname: "x" };
    let started = Instant::now();
    let error = Session::open(&endpoint, &login, short()).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::Unreachable, "{error}");
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[rstest]
#[case::before_tls(0)]
#[case::during_tls(1)]
#[tokio::test]
async fn connection_cut_during_the_handshake_is_unreachable(#[case] answers: usize) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.read_exact(&mut [0; 8]).await.unwrap();
        if answers == 1 {
            peer.write_all(b"S").await.unwrap();
            let _ = peer.read(&mut [0; 512]).await;
        }
    });
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port, tls: TlsMode::Require };
    let login = Login { user: "x", password: None, dbname: "x" };
    let error = Session::open(&endpoint, &login, short()).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::Unreachable, "{error}");
}

#[rstest]
#[case::strange_ca(&server().strange_ca_pem, "127.0.0.1")]
#[case::other_name(&server().ca_pem, "localhost")]
#[case::no_ca("", "127.0.0.1")]
#[case::garbage("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "127.0.0.1")]
#[tokio::test]
async fn server_that_cannot_prove_itself_gets_no_login(#[case] ca_pem: &str, #[case] host: &str) {
    let tls = TlsMode::Verify { ca_pem: ca_pem.to_owned() };
    let endpoint = Endpoint { host: host.to_owned(), port: server().port, tls };
    let login = Login { user: "x", password: None, dbname: "x" };
    let error = Session::open(&endpoint, &login, Timeouts::default()).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::TlsRefused, "{error}");
}

#[tokio::test]
async fn server_without_tls_is_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.read_exact(&mut [0; 8]).await.unwrap();
        peer.write_all(b"N").await.unwrap();
        let _ = peer.read(&mut [0; 8]).await;
    });
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port, tls: TlsMode::Require };
    let login = Login { user: "x", password: None, dbname: "x" };
    let error = Session::open(&endpoint, &login, short()).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::TlsRefused, "{error}");
}

#[tokio::test]
async fn unverified_tls_logs_in_and_plain_text_is_the_servers_refusal() {
    let case = Case::new("login_modes");
    case.create(&server().admin().await).await;
    let login = Login { user: "login_modes", password: Some(&case.password), dbname: "login_modes" };
    verify_login(&server().endpoint_with(TlsMode::Require), &login).await.unwrap();
    verify_login(&server().socket(), &login).await.unwrap();
    // Another password would not help: a reset must not be the answer to a missing pg_hba.conf entry.
    let error = verify_login(&server().endpoint_with(TlsMode::Disable), &login).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::LoginRefused, "{error}");
}

#[tokio::test]
async fn long_statement_is_cancelled_by_the_server() {
    let superuser = server().superuser("postgres").await.unwrap();
    run(&superuser, "SET statement_timeout = 100").await;
    let error = superuser.execute("SELECT", "pg_sleep", "SELECT pg_sleep(5)").await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::Busy, "{error}");
}

#[tokio::test]
async fn dropped_session_leaves_the_server() {
    let watcher = server().superuser("postgres").await.unwrap();
    let session = server().admin().await;
    let pid = text(&session, "SELECT pg_backend_pid()::text").await;
    drop(session);
    let gone = format!("SELECT count(*)::text FROM pg_stat_activity WHERE pid = {pid}");
    for _ in 0..50 {
        if text(&watcher, &gone).await == "0" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the session is still there");
}
