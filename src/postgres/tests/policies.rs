//! Servers whose password policy refuses hashes. PostgreSQL comes without one, so a module of twenty lines is compiled
//! and loaded into the sessions of one administrator: the refusal is the server's own, over the real protocol.

use std::process::Command;
use std::sync::OnceLock;

use super::*;

/// The module for the server of this test binary.
fn module() -> &'static str {
    static MODULE: OnceLock<String> = OnceLock::new();
    MODULE.get_or_init(|| {
        let folder = &server().directory;
        let (source, library) = (folder.join("refuses_hashes.c"), folder.join("refuses_hashes.so"));
        std::fs::write(&source, include_str!("refuses_hashes.c")).unwrap();
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let output = Command::new(compiler)
            .args(["-shared", "-fPIC", &format!("-DPG_MAJOR={}", server().major), "-o"])
            .args([&library, &source])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        library.display().to_string()
    })
}

/// An administrator in whose sessions no hashed password is accepted.
async fn administrator(name: &str, tls: TlsMode) -> Session {
    let superuser = server().superuser("postgres").await.unwrap();
    run(&superuser, &format!("CREATE ROLE {name} LOGIN CREATEDB CREATEROLE PASSWORD 'policy'")).await;
    run(&superuser, &format!("ALTER ROLE {name} SET session_preload_libraries = '{}'", module())).await;
    let password = Password::new("policy");
    let login = Login { user: name, password: Some(&password), dbname: "postgres" };
    Session::open(&server().endpoint_with(tls), &login, Timeouts::default()).await.unwrap()
}

fn verified() -> TlsMode {
    TlsMode::Verify { ca_pem: server().ca_pem.clone() }
}

async fn create(admin: &Session, case: &Case, form: PasswordForm) -> Result<(), SqlError> {
    create_role(admin, &case.names, &case.uid, &case.password, form, Adoption::OnlyMarked).await
}

#[tokio::test]
async fn server_that_refuses_hashes_gets_clear_text_over_verified_tls() {
    let admin = administrator("policy_verified", verified()).await;
    let case = Case::new("policy_app");
    create(&admin, &case, PasswordForm::AsAccepted).await.unwrap();
    create_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    configure_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    case.login().await.unwrap();
    let (second, form) = (Password::new("it's \\ another"), PasswordForm::AsAccepted);
    set_role_password(&admin, &case.names, &case.uid, &second, form, Adoption::OnlyMarked).await.unwrap();
    server().login("policy_app", &second, "policy_app").await.unwrap();
    assert_eq!(case.login().await.unwrap_err().kind(), SqlErrorKind::PasswordRefused);
    case.drop(&admin).await;
}

#[tokio::test]
async fn without_verified_tls_a_refused_hash_is_told_and_nothing_is_sent_in_clear() {
    let case = Case { password: Password::new("Never_In_Clear_1"), ..Case::new("policy_unverified_app") };
    let admin = administrator("policy_unverified", TlsMode::Require).await;
    let error = create(&admin, &case, PasswordForm::AsAccepted).await.unwrap_err();
    assert!(matches!(&error, SqlError::HashRefused { sqlstate, .. } if sqlstate == "28000"), "{error:?}");
    assert_eq!(error.kind(), SqlErrorKind::NotPermitted);
    assert!(error.to_string().contains("the server's CA is needed"), "{error}");
    assert_eq!(case.observe(&admin).await.role, Existence::Absent);
    assert!(!server().log().contains("Never_In_Clear_1"));
}

#[tokio::test]
async fn who_asks_for_a_hash_only_gets_no_clear_text() {
    let case = Case { password: Password::new("Never_In_Clear_2"), ..Case::new("policy_strict_app") };
    let admin = administrator("policy_strict", verified()).await;
    let error = create(&admin, &case, PasswordForm::ScramVerifier).await.unwrap_err();
    assert!(matches!(error, SqlError::HashRefused { .. }), "{error:?}");
    assert!(!server().log().contains("Never_In_Clear_2"));
}

#[tokio::test]
async fn server_that_accepts_hashes_never_sees_clear_text() {
    let case = Case { password: Password::new("Never_In_Clear_3"), ..Case::new("policy_none_app") };
    create(&server().admin().await, &case, PasswordForm::AsAccepted).await.unwrap();
    assert!(!server().log().contains("Never_In_Clear_3"));
}

#[tokio::test]
async fn missing_right_is_no_refusal_of_hashes() {
    let case = Case { password: Password::new("Never_In_Clear_4"), ..Case::new("policy_right_app") };
    let superuser = server().superuser("postgres").await.unwrap();
    run(&superuser, "CREATE ROLE policy_right LOGIN PASSWORD 'policy'").await;
    let admin = server().login("policy_right", &Password::new("policy"), "postgres").await.unwrap();
    let error = create(&admin, &case, PasswordForm::AsAccepted).await.unwrap_err();
    assert!(matches!(&error, SqlError::Server { sqlstate, .. } if sqlstate == "42501"), "{error:?}");
    assert!(!server().log().contains("Never_In_Clear_4"));
}
