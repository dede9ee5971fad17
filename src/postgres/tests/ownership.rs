use super::*;

/// Everything that can be changed about a role, as the server stores it.
async fn fingerprint(superuser: &Session, role: &str) -> String {
    let query = format!(
        "SELECT row(a.*, shobj_description(a.oid, 'pg_authid'),
             (SELECT array_agg(m.member::text) FROM pg_auth_members m WHERE m.roleid = a.oid))::text
         FROM pg_authid a WHERE rolname = '{role}'"
    );
    text(superuser, &query).await
}

async fn refused_everywhere(case: &Case, admin: &Session, adoption: Adoption<'_>) {
    let spec = case.spec();
    let form = PasswordForm::ScramVerifier;
    let results = [
        case.create_role(admin, adoption).await,
        set_role_password(admin, &case.names, &case.uid, &case.password, form, adoption).await,
        create_database(admin, &spec, adoption).await,
        configure_database(admin, &spec, adoption).await,
        drop_database(admin, &spec, adoption).await,
        drop_role(admin, &case.names, &case.uid, adoption).await,
    ];
    for result in results {
        assert_eq!(result.unwrap_err().kind(), SqlErrorKind::NotOurs);
    }
}

#[tokio::test]
async fn unmarked_role_and_database_are_never_touched() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    run(&superuser, "CREATE ROLE own_foreign LOGIN PASSWORD 'theirs'").await;
    run(&superuser, "CREATE DATABASE own_foreign").await;
    let before = fingerprint(&superuser, "own_foreign").await;
    for admin in [&admin, &superuser] {
        let case = Case::new("own_foreign");
        let state = case.observe(admin).await;
        assert_eq!((state.database, state.role), (Existence::Unmarked, Existence::Unmarked));
        refused_everywhere(&case, admin, Adoption::OnlyMarked).await;
    }
    assert_eq!(fingerprint(&superuser, "own_foreign").await, before);
}

#[tokio::test]
async fn another_objects_are_never_touched() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    let theirs = Case::new("own_theirs");
    theirs.create(&admin).await;
    let before = fingerprint(&superuser, "own_theirs").await;
    let ours = Case { uid: "other".to_owned(), ..Case::new("own_theirs") };
    let state = ours.observe(&admin).await;
    assert_eq!(state.role, Existence::Foreign { mark: "uid-of-own_theirs".to_owned() });
    assert_eq!(state.database, state.role);
    assert!(!state.seen_inside);
    for adoption in [Adoption::OnlyMarked, Adoption::AlsoUnmarked, Adoption::From("somebody")] {
        refused_everywhere(&ours, &admin, adoption).await;
    }
    assert_eq!(fingerprint(&superuser, "own_theirs").await, before);
    theirs.login().await.unwrap();

    // Restored from a backup: same object, new uid, and the caller knows the old one.
    configure_database(&admin, &ours.spec(), Adoption::From("uid-of-own_theirs")).await.unwrap();
    let state = ours.observe(&admin).await;
    assert!(state.is_configured(), "{state:?}");
    theirs.login().await.unwrap();
}

#[tokio::test]
async fn privileged_roles_and_the_servers_databases_are_nobodys() {
    let superuser = server().superuser("postgres").await.unwrap();
    run(&superuser, "CREATE ROLE own_creator LOGIN CREATEROLE").await;
    for name in ["postgres", server::ADMIN, "own_creator", "pg_monitor"] {
        let case = Case::new(name);
        let adoption = Adoption::AlsoUnmarked;
        let form = PasswordForm::ScramVerifier;
        let results = [
            case.create_role(&superuser, adoption).await,
            set_role_password(&superuser, &case.names, &case.uid, &case.password, form, adoption).await,
            create_database(&superuser, &case.spec(), adoption).await,
            configure_database(&superuser, &case.spec(), adoption).await,
            drop_role(&superuser, &case.names, &case.uid, adoption).await,
        ];
        for result in results {
            assert_eq!(result.unwrap_err().kind(), SqlErrorKind::NotOurs, "{name}");
        }
    }
    for database in ["postgres", "template0", "template1"] {
        let names = DatabaseNames { database: database.to_owned(), role: "own_nobody".to_owned() };
        let case = Case { names, ..Case::new("own_nobody") };
        let error = drop_database(&superuser, &case.spec(), Adoption::AlsoUnmarked).await.unwrap_err();
        assert_eq!(error.kind(), SqlErrorKind::NotOurs);
    }
}

#[tokio::test]
async fn originals_database_is_adopted_with_everything_in_it() {
    let admin = server().admin().await;
    let case = Case::new("own_original");
    // What the original does: the administrator owns the database, the role has rights on it.
    run(&admin, "CREATE ROLE own_original WITH LOGIN ENCRYPTED PASSWORD 'old'").await;
    run(&admin, "CREATE DATABASE own_original").await;
    run(&admin, "GRANT ALL PRIVILEGES ON DATABASE own_original TO own_original").await;
    let target = admin.beside("own_original", super::super::session::Access::ReadWrite).await.unwrap();
    let schema = "CREATE SCHEMA data; GRANT ALL ON SCHEMA data TO own_original; CREATE TABLE data.t (id int)";
    run(&target, schema).await;
    drop(target);

    let state = case.observe(&admin).await;
    assert_eq!((state.database, state.role), (Existence::Unmarked, Existence::Unmarked));
    configure_database(&admin, &case.spec(), Adoption::AlsoUnmarked).await.unwrap();
    assert!(case.observe(&admin).await.is_configured());
    // The password is the caller's business: still the old one.
    server().login("own_original", &Password::new("old"), "own_original").await.unwrap();
    let form = PasswordForm::ScramVerifier;
    set_role_password(&admin, &case.names, &case.uid, &case.password, form, Adoption::OnlyMarked)
        .await
        .unwrap();
    case.login().await.unwrap();
    case.drop(&admin).await;
}

#[tokio::test]
async fn crash_after_create_database_leaves_it_ours() {
    let admin = server().admin().await;
    let case = Case::new("own_crash");
    case.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    run(&admin, "CREATE DATABASE own_crash OWNER own_crash").await;
    let state = case.observe(&admin).await;
    assert_eq!(state.database, Existence::Ours);
    assert!(!state.commented);
    create_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    assert!(case.observe(&admin).await.commented);
}

#[tokio::test]
async fn tenant_cannot_give_its_database_away() {
    let admin = server().admin().await;
    let case = Case::new("own_forged");
    case.create(&admin).await;
    let forged = "COMMENT ON DATABASE own_forged IS 'hybridcloud.maibornwolff.de/database=other'";
    run(&case.login().await.unwrap(), forged).await;
    assert_eq!(case.observe(&admin).await.database, Existence::Ours);
    let other = Case { uid: "other".to_owned(), ..Case::new("own_forged") };
    refused_everywhere(&other, &admin, Adoption::AlsoUnmarked).await;
}

#[tokio::test]
async fn role_and_its_mark_come_together() {
    let admin = server().admin().await;
    let case = Case { uid: "u'; DROP ROLE x; --\\".to_owned(), ..Case::new("own_together") };
    case.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    let state = case.observe(&admin).await;
    assert_eq!((state.role, state.database), (Existence::Ours, Existence::Absent));
    // Both or none: the second statement of the pair fails, the first leaves no trace.
    let sql = "CREATE ROLE own_half LOGIN; COMMENT ON ROLE no_such_role IS 'x'";
    admin.execute("CREATE ROLE", "own_half", sql).await.unwrap_err();
    assert_eq!(Case::new("own_half").observe(&admin).await.role, Existence::Absent);
}
