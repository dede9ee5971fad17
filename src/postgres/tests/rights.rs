//! Rights that tenants hand out, and the role rules of PostgreSQL 16.

use super::*;

/// What mentions a role anywhere on the server, by the catalogue that ties every right to its role.
async fn ties_of(superuser: &Session, role: &str) -> String {
    let query = format!(
        "SELECT count(*)::text FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
         WHERE s.refclassid = 'pg_authid'::regclass AND r.rolname = '{role}'"
    );
    text(superuser, &query).await
}

#[tokio::test]
async fn default_privileges_in_ones_own_and_in_other_databases_hold_nothing() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    let (case, host) = (Case::new("rights_guest"), Case::new("rights_host"));
    case.create(&admin).await;
    host.create(&admin).await;
    let own = case.login().await.unwrap();
    run(&own, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO rights_host").await;
    run(&own, "CREATE TABLE public.t (id int); GRANT SELECT ON public.t TO rights_host").await;
    drop(own);
    let hosts = host.login().await.unwrap();
    run(&hosts, "GRANT CONNECT ON DATABASE rights_host TO rights_guest").await;
    run(&hosts, "GRANT CREATE, USAGE ON SCHEMA public TO rights_guest").await;
    run(&hosts, "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO rights_guest").await;
    let guests = server().login("rights_guest", &case.password, "rights_host").await.unwrap();
    run(&guests, "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO rights_host").await;
    run(
        &guests,
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE public.k AS ENUM ('a');
         CREATE SEQUENCE public.s; CREATE VIEW public.v AS SELECT 1; SELECT lo_create(0)",
    )
    .await;
    assert_ne!(ties_of(&superuser, "rights_guest").await, "0");

    case.drop(&admin).await;
    assert_eq!(
        text(&superuser, "SELECT count(*)::text FROM pg_roles WHERE rolname = 'rights_guest'").await,
        "0"
    );
    // What it had made for its host is still there, and nothing of the host's went with it.
    assert_eq!(text(&hosts, "SELECT public.f()::text").await, "1");
    run(&hosts, "CREATE TABLE public.later (id int)").await;
    let granted = "SELECT has_table_privilege('rights_host', 'public.later', 'INSERT')::text";
    assert_eq!(text(&hosts, granted).await, "true");
    drop(hosts);
    host.drop(&admin).await;
}

#[tokio::test]
async fn roles_are_as_many_afterwards_as_before() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    let count = "SELECT ((SELECT count(*) FROM pg_authid WHERE rolname LIKE 'rights\\_cycle%')
        + (SELECT count(*) FROM pg_auth_members m JOIN pg_authid a ON a.oid IN (m.roleid, m.grantor)
           WHERE a.rolname LIKE 'rights\\_cycle%')
        + (SELECT count(*) FROM pg_shdescription d WHERE d.description LIKE '%uid-of-rights\\_cycle%'))::text";
    let before = text(&superuser, count).await;
    for name in ["rights_cycle", "rights_cycle_b", "rights_cycle"] {
        let case = Case::new(name);
        case.create(&admin).await;
        assert_ne!(text(&superuser, count).await, before);
        case.drop(&admin).await;
        assert_eq!(text(&superuser, count).await, before, "{name}");
    }
}

#[tokio::test]
async fn administrator_takes_of_a_new_role_what_it_needs_and_the_role_gets_nothing() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    let case = Case::new("rights_member");
    case.create(&admin).await;
    let held = "SELECT (pg_has_role('hcpg_admin', 'rights_member', 'USAGE')
        AND pg_has_role('hcpg_admin', 'rights_member', 'MEMBER WITH ADMIN OPTION'))::text";
    assert_eq!(text(&superuser, held).await, "true");
    let gained = "SELECT count(*)::text FROM pg_auth_members WHERE member = 'rights_member'::regrole";
    assert_eq!(text(&superuser, gained).await, "0");
    if admin.version_num() >= 160_000 {
        // One grant is the server's own, to whoever creates a role; the other one is ours.
        let options = "SELECT string_agg(format('%s %s %s', admin_option, inherit_option, set_option), ', '
            ORDER BY admin_option) FROM pg_auth_members WHERE roleid = 'rights_member'::regrole";
        assert_eq!(text(&superuser, options).await, "f t t, t f f");
    }
    case.drop(&admin).await;
}

#[tokio::test]
async fn single_options_of_a_membership_that_got_lost_are_taken_again() {
    let admin = server().admin().await;
    if admin.version_num() < 160_000 {
        return; // Memberships have had options since 16; before, tests/lifecycle.rs revokes the whole.
    }
    let superuser = server().superuser("postgres").await.unwrap();
    let case = Case::new("rights_options");
    case.create(&admin).await;
    for lost in ["INHERIT FALSE", "SET FALSE"] {
        run(&superuser, &format!("GRANT rights_options TO hcpg_admin WITH {lost} GRANTED BY hcpg_admin"))
            .await;
        configure_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
        let held = "SELECT (pg_has_role('hcpg_admin', 'rights_options', 'USAGE')
            AND pg_has_role('hcpg_admin', 'rights_options', 'SET'))::text";
        assert_eq!(text(&superuser, held).await, "true", "{lost}");
    }
    case.drop(&admin).await;
}

#[tokio::test]
async fn another_administrators_role_is_out_of_reach_since_16_and_that_is_said() {
    let superuser = server().superuser("postgres").await.unwrap();
    let admin = server().admin().await;
    let case = Case::new("rights_other");
    case.create(&admin).await;
    run(&superuser, "CREATE ROLE rights_second LOGIN CREATEDB CREATEROLE PASSWORD 'second'").await;
    let second = server().login("rights_second", &Password::new("second"), "postgres").await.unwrap();
    let form = PasswordForm::AsAccepted;
    let new = Password::new("by the second");
    let changed = set_role_password(&second, &case.names, &case.uid, &new, form, Adoption::OnlyMarked).await;
    if admin.version_num() >= 160_000 {
        assert_eq!(changed.unwrap_err().kind(), SqlErrorKind::NotPermitted);
        case.login().await.unwrap();
    } else {
        // Before, CREATEROLE was power over every role that is not a superuser.
        changed.unwrap();
        server().login("rights_other", &new, "rights_other").await.unwrap();
    }
    case.drop(&admin).await;
}

#[tokio::test]
async fn roles_and_databases_of_the_service_are_never_touched() {
    let admin = server().admin().await;
    let (roles, databases) = server().admin_kind.of_the_service();
    for name in roles {
        let case = Case::new(name);
        for adoption in [Adoption::OnlyMarked, Adoption::AlsoUnmarked, Adoption::From("x")] {
            let error = case.create_role(&admin, adoption).await.unwrap_err();
            assert_eq!(error.kind(), SqlErrorKind::NotOurs, "{name}");
            let error = drop_role(&admin, &case.names, &case.uid, adoption).await.unwrap_err();
            assert_eq!(error.kind(), SqlErrorKind::NotOurs, "{name}");
        }
    }
    for name in databases {
        let names = DatabaseNames { database: (*name).to_owned(), role: "rights_nobody".to_owned() };
        let case = Case { names, ..Case::new(name) };
        let error = drop_database(&admin, &case.spec(), Adoption::AlsoUnmarked).await.unwrap_err();
        assert_eq!(error.kind(), SqlErrorKind::NotOurs, "{name}");
        assert!(!case.observe(&admin).await.seen_inside, "{name}");
    }
}
