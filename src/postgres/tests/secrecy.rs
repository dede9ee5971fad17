use super::super::session::Access;
use super::*;

#[tokio::test]
async fn passwords_reach_the_server_as_verifiers_only() {
    let admin = server().admin().await;
    let case = Case { password: Password::new("Clear_Text_Nr1"), ..Case::new("secret_scram") };
    case.create(&admin).await;
    let second = Password::new("Clear_Text_Nr2");
    let form = PasswordForm::ScramVerifier;
    set_role_password(&admin, &case.names, &case.uid, &second, form, Adoption::OnlyMarked).await.unwrap();
    assert_eq!(case.login().await.unwrap_err().kind(), SqlErrorKind::PasswordRefused);
    server().login("secret_scram", &second, "secret_scram").await.unwrap();
    let superuser = server().superuser("postgres").await.unwrap();
    let third = Password::new("Clear_Text_Nr3");
    run(&superuser, "CREATE ROLE secret_admin LOGIN").await;
    set_admin_password(&superuser, "secret_admin", &third, form).await.unwrap();
    server().login("secret_admin", &third, "postgres").await.unwrap();
    // The server logs every statement here.
    let log = server().log();
    assert!(log.contains("SCRAM-SHA-256$4096:") && !log.contains("Clear_Text_Nr"));
}

#[tokio::test]
async fn clear_text_needs_a_private_way() {
    let superuser = server().superuser("postgres").await.unwrap();
    run(&superuser, "CREATE ROLE secret_clear LOGIN").await;
    let (old, new) = (Password::new("it's \\ odd"), Password::new("new"));
    let form = PasswordForm::ClearText;
    set_admin_password(&superuser, "secret_clear", &old, form).await.unwrap();
    let login = Login { user: "secret_clear", password: Some(&old), dbname: "postgres" };
    let endpoint = server().endpoint_with(TlsMode::Require);
    let unverified = Session::open(&endpoint, &login, Timeouts::default()).await.unwrap();
    let error = set_admin_password(&unverified, "secret_clear", &new, form).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::InvalidRequest);
    let verified = server().login("secret_clear", &old, "postgres").await.unwrap();
    set_admin_password(&verified, "secret_clear", &new, form).await.unwrap();
    server().login("secret_clear", &new, "postgres").await.unwrap();
}

#[tokio::test]
async fn no_error_holds_a_password() {
    let admin = server().admin().await;
    let password = Password::new("Top_Secret_77");
    let case = Case { password: password.clone(), ..Case::new("secret_errors") };
    let form = PasswordForm::ClearText;
    let read_only = {
        let login = server().admin().await;
        login.beside("postgres", Access::ReadOnly).await.unwrap()
    };
    run(&server().superuser("postgres").await.unwrap(), "CREATE ROLE secret_other SUPERUSER").await;
    let uid = case.uid.as_str();
    let adoption = Adoption::OnlyMarked;
    let errors = [
        case.login().await.map(drop).unwrap_err(),
        set_role_password(&admin, &case.names, uid, &password, form, adoption).await.unwrap_err(),
        create_role(&read_only, &case.names, uid, &password, form, adoption).await.unwrap_err(),
        set_admin_password(&admin, "secret_other", &password, form).await.unwrap_err(),
        set_admin_password(&admin, "no_such", &password, form).await.unwrap_err(),
    ];
    for error in errors {
        let said = format!("{error} {error:?}");
        assert!(!said.contains("Top_Secret_77"), "{said}");
    }
    assert!(!format!("{admin:?}").contains("secret-1"));
    // A server whose policy quotes the password in its refusal.
    let quoting = SqlError::Server {
        action: "ALTER ROLE x".to_owned(),
        kind: SqlErrorKind::Other,
        sqlstate: "22023".to_owned(),
        message: "password \"Top_Secret_77\" is too simple".to_owned(),
    };
    let said = quoting.without(&password, "verifier").to_string();
    assert!(said.contains("[redacted]") && !said.contains("Top_Secret_77"));
}

#[tokio::test]
async fn detail_of_the_server_stays_there() {
    let superuser = server().superuser("postgres").await.unwrap();
    let sql = "DO $$ BEGIN RAISE EXCEPTION 'primary' USING DETAIL = 'row with data', HINT = 'a hint'; END $$";
    let error = superuser.execute("DO", "test", sql).await.unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(
        said.contains("primary") && !said.contains("row with data") && !said.contains("a hint"),
        "{said}"
    );
}

#[tokio::test]
async fn observing_only_reads() {
    let superuser = server().superuser("postgres").await.unwrap();
    let password = Password::new("observer");
    run(&superuser, "CREATE ROLE secret_observer LOGIN CREATEDB CREATEROLE PASSWORD 'observer'").await;
    let admin = server().login("secret_observer", &password, "postgres").await.unwrap();
    let case = Case::new("secret_observed").with_extensions(&["citext"]);
    case.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    create_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();

    let before = server().log().len();
    let state = case.observe(&admin).await;
    assert!(state.seen_inside);
    // Extended queries are logged as `execute <unnamed>`, simple ones as `statement`.
    let log = server().log()[before..].to_owned();
    let said: Vec<&str> = log
        .lines()
        .filter(|line| line.starts_with("<secret_observer@") && line.contains("> LOG:  "))
        .collect();
    assert!(said.len() > 5, "{log}");
    for line in said {
        let (_, statement) = line.split_once("LOG:  ").unwrap();
        let sql = statement.split_once(": ").unwrap().1.trim_start();
        let reads = ["SELECT", "BEGIN", "ROLLBACK", "SET search_path", "SHOW"];
        assert!(reads.iter().any(|word| sql.starts_with(word)), "{line}");
    }

    // And if a statement were to write, the server would refuse it.
    let target = admin.beside("secret_observed", Access::ReadOnly).await.unwrap();
    let error = target.execute("CREATE", "t", "CREATE TABLE public.t (id int)").await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::NotReady);
    run(&admin, "BEGIN READ ONLY").await;
    assert!(admin.execute("COMMENT", "x", "COMMENT ON ROLE secret_observed IS 'x'").await.is_err());
}

#[tokio::test]
async fn own_server_gets_an_administrator_without_superpowers() {
    let superuser = server().superuser("postgres").await.unwrap();
    run(&superuser, "CREATE DATABASE secret_maintenance").await;
    let maintenance = server().superuser("secret_maintenance").await.unwrap();
    let (first, second) = (Password::new("first"), Password::new("second"));
    let form = PasswordForm::ScramVerifier;
    ensure_admin_role(&maintenance, "secret_manager", &first, form).await.unwrap();
    let itself = ensure_admin_role(&maintenance, "postgres", &first, form).await.unwrap_err();
    assert_eq!(itself.kind(), SqlErrorKind::NotOurs);
    ensure_admin_role(&maintenance, "secret_manager", &second, form).await.unwrap();
    let admin = server().login("secret_manager", &second, "secret_maintenance").await.unwrap();
    let facts = server_facts(&admin).await.unwrap();
    assert!(facts.can_manage && !facts.superuser);
    let case = Case::new("secret_managed");
    case.create(&admin).await;
    assert!(case.observe(&admin).await.is_configured());
    // Application roles have no business in the maintenance database.
    let error = server().login("secret_managed", &case.password, "secret_maintenance").await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::NotPermitted);
    case.drop(&admin).await;
}
