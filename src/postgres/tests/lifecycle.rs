use rstest::rstest;

use super::admins::AdminKind;
use super::*;

#[tokio::test]
async fn from_nothing_to_a_table_and_back() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    let case = Case::new("life_whole");
    let nothing = case.observe(&admin).await;
    assert_eq!((nothing.database, nothing.role), (Existence::Absent, Existence::Absent));

    case.create(&admin).await;
    let state = case.observe(&admin).await;
    assert!(state.is_configured() && state.seen_inside && state.accepts_connections, "{state:?}");
    assert_eq!(state.charset.as_deref(), Some("UTF8"));
    let session = case.login().await.unwrap();
    run(&session, "CREATE TABLE public.t (id int); INSERT INTO public.t VALUES (1); CREATE SCHEMA own").await;

    // Everything again: nothing breaks, nothing is lost.
    case.create(&admin).await;
    assert_eq!(text(&session, "SELECT count(*)::text FROM public.t").await, "1");

    drop(session);
    case.drop(&admin).await;
    case.drop(&admin).await;
    let traces = "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = 'life_whole')
        + (SELECT count(*) FROM pg_database WHERE datname = 'life_whole')";
    assert_eq!(text(&superuser, &format!("SELECT ({traces})::text")).await, "0");
}

/// The controller runs these on a multi-threaded runtime.
#[test]
fn futures_can_be_sent() {
    fn sendable<F: Future + Send>(_: fn(&'static Session, &'static Case) -> F) {}
    sendable(|session, case| case.create(session));
    sendable(|session, case| case.observe(session));
    sendable(|session, case| case.drop(session));
}

#[tokio::test]
async fn other_tenants_stay_out() {
    let admin = server().admin().await;
    let (one, two) = (Case::new("life_one"), Case::new("life_two"));
    one.create(&admin).await;
    two.create(&admin).await;
    let error = server().login("life_two", &two.password, "life_one").await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::NotPermitted, "{error}");
}

#[rstest]
#[case("order")]
#[case("life.b")]
#[case("1abc")]
#[case("User")]
#[case("life\"; DROP DATABASE postgres; --")]
#[case("life'; SELECT 1; --\\")]
#[case("ünï")]
#[tokio::test]
async fn awkward_names_live_and_die(#[case] name: &str) {
    let admin = server().admin().await;
    let case = Case::new(name);
    case.create(&admin).await;
    assert!(case.observe(&admin).await.is_configured());
    run(&case.login().await.unwrap(), "CREATE TABLE public.t (id int)").await;
    case.drop(&admin).await;
    assert_eq!(case.observe(&admin).await.role, Existence::Absent);
}

#[tokio::test]
async fn name_postgresql_would_cut_never_reaches_it() {
    let admin = server().admin().await;
    let case = Case::new(&"x".repeat(64));
    let error = case.create_role(&admin, Adoption::OnlyMarked).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::InvalidRequest);
    let case = Case::new(&database_name_for(&"x".repeat(64), &[]).unwrap());
    case.create(&admin).await;
    assert!(case.observe(&admin).await.is_configured());
    case.login().await.unwrap();
}

#[tokio::test]
async fn charset_and_collation_are_taken_or_refused_with_a_reason() {
    let admin = server().admin().await;
    let case = Case::new("life_latin");
    case.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    for (charset, collation) in [
        (Some("NONSENSE"), None),
        (None, Some("xx_XX.utf8")),
        (Some("UTF8' TABLESPACE '"), None),
        (Some("LATIN1"), Some("C.UTF-8")),
        (Some(""), None),
    ] {
        let spec = DatabaseSpec { charset, collation, ..case.spec() };
        let error = create_database(&admin, &spec, Adoption::OnlyMarked).await.unwrap_err();
        assert_eq!(error.kind(), SqlErrorKind::InvalidRequest, "{charset:?} {collation:?}: {error}");
    }
    let spec = DatabaseSpec { charset: Some("LATIN1"), collation: Some("C"), ..case.spec() };
    create_database(&admin, &spec, Adoption::OnlyMarked).await.unwrap();
    let state = observe(&admin, &spec).await.unwrap();
    assert_eq!((state.charset.as_deref(), state.collation.as_deref()), (Some("LATIN1"), Some("C")));
}

#[tokio::test]
async fn extensions_are_quoted_and_land_in_public() {
    let admin = server().extension_admin().await;
    // The folded name is what the original's unquoted statement meant.
    let case = Case::new("life_extensions").with_extensions(&["uuid-ossp", "CiText", "uuid-ossp"]);
    case.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    create_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    assert_eq!(case.observe(&admin).await.extensions_missing, ["uuid-ossp", "CiText"]);
    configure_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    assert!(case.observe(&admin).await.is_configured());
    let session = case.login().await.unwrap();
    assert_eq!(text(&session, "SELECT length(public.uuid_generate_v4()::text)::text").await, "36");
    assert_eq!(
        text(&session, "SELECT ('A'::public.citext OPERATOR(public.=) 'a'::public.citext)::text").await,
        "true"
    );
}

#[tokio::test]
async fn unknown_extension_is_named_and_hides_nothing() {
    let admin = server().extension_admin().await;
    let injection = "x; CREATE ROLE evil SUPERUSER; --";
    let case = Case::new("life_unknown").with_extensions(&["no-such", injection, "a\0b", "citext"]);
    case.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    create_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    let error = configure_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::InvalidRequest);
    assert!(error.to_string().contains("no-such"), "{error}");
    let state = case.observe(&admin).await;
    assert!(state.public_revoked && state.schema_granted && state.owner_is_role);
    assert_eq!(state.extensions_missing, ["no-such", injection, "a\0b"]);
    let superuser = server().superuser("postgres").await.unwrap();
    assert_eq!(text(&superuser, "SELECT count(*)::text FROM pg_roles WHERE rolname = 'evil'").await, "0");
}

#[tokio::test]
async fn extension_for_superusers_only_is_not_permitted() {
    let admin = server().admin().await;
    let case = Case::new("life_untrusted").with_extensions(&["file_fdw"]);
    case.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    create_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    let error = configure_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::NotPermitted, "{error}");
}

#[tokio::test]
async fn extension_off_the_services_list_is_refused_in_the_services_words() {
    let admin = server().admin().await;
    let case = Case::new("life_list").with_extensions(&["pg_trgm"]);
    case.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    create_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    let done = configure_database(&admin, &case.spec(), Adoption::OnlyMarked).await;
    match server().admin_kind {
        // Nobody but a superuser could create one before 13.
        _ if admin.version_num() < 130_000 => {
            assert_eq!(done.unwrap_err().kind(), SqlErrorKind::NotPermitted)
        }
        AdminKind::Azure => {
            let error = done.unwrap_err();
            assert_eq!(error.kind(), SqlErrorKind::InvalidRequest, "{error}");
            assert!(error.to_string().contains("not allow-listed"), "{error}");
        }
        AdminKind::Plain | AdminKind::Rds => done.unwrap(),
    }
}

#[tokio::test]
async fn drift_is_seen_and_put_right() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    let case = Case::new("life_drift");
    case.create(&admin).await;
    run(
        &superuser,
        "GRANT CONNECT ON DATABASE life_drift TO PUBLIC; ALTER ROLE life_drift NOLOGIN;
         ALTER DATABASE life_drift OWNER TO hcpg_admin",
    )
    .await;
    let state = case.observe(&admin).await;
    assert!(!state.owner_is_role && !state.public_revoked && !state.role_can_login, "{state:?}");
    assert_eq!(state.database, Existence::Ours);
    configure_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    assert!(case.observe(&admin).await.is_configured());
    case.login().await.unwrap();

    // The administrator lost its membership: it cannot look inside any more, and heals that as well.
    run(&superuser, "REVOKE life_drift FROM hcpg_admin CASCADE").await;
    if admin.version_num() >= 160_000 {
        run(&superuser, "GRANT life_drift TO hcpg_admin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE").await;
    }
    let state = case.observe(&admin).await;
    assert!(!state.seen_inside && !state.is_configured(), "{state:?}");
    configure_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    assert!(case.observe(&admin).await.is_configured());
}

#[tokio::test]
async fn tenants_own_comment_stays() {
    let admin = server().admin().await;
    let case = Case::new("life_comment");
    case.create(&admin).await;
    let session = case.login().await.unwrap();
    run(&session, "COMMENT ON DATABASE life_comment IS 'billing'").await;
    assert!(case.observe(&admin).await.is_configured());
    configure_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    let comment =
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'life_comment'";
    assert_eq!(text(&session, comment).await, "billing");
}

#[tokio::test]
async fn tenants_functions_do_not_reach_the_administrator() {
    let admin = server().admin().await;
    let case = Case::new("life_hijack");
    case.create(&admin).await;
    let session = case.login().await.unwrap();
    run(
        &session,
        "CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''caught''; END';
         ALTER DATABASE life_hijack SET search_path = public, pg_catalog",
    )
    .await;
    let target = admin.beside("life_hijack", super::super::session::Access::ReadWrite).await.unwrap();
    assert_eq!(text(&target, "SELECT lower('A')").await, "a");
}
