use super::*;

async fn count_of_roles(session: &Session, prefix: &str) -> String {
    text(session, &format!("SELECT count(*)::text FROM pg_roles WHERE rolname LIKE '{prefix}%'")).await
}

#[tokio::test]
async fn connected_client_does_not_hold_the_database() {
    let admin = server().admin().await;
    let case = Case::new("drop_busy");
    case.create(&admin).await;
    let client = case.login().await.unwrap();
    case.drop(&admin).await;
    assert!(client.rows("SELECT", "1", "SELECT 1", &[]).await.is_err());
    assert_eq!(case.observe(&admin).await.database, Existence::Absent);
}

#[tokio::test]
async fn session_that_may_not_be_ended_makes_it_busy_and_leaves_the_door_open() {
    let admin = server().admin().await;
    let case = Case::new("drop_held");
    case.create(&admin).await;
    let superuser = server().superuser("drop_held").await.unwrap();
    let error = drop_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::Busy, "{error}");
    assert!(case.observe(&admin).await.accepts_connections);
    case.login().await.unwrap();
    drop(superuser);
    case.drop(&admin).await;
}

#[tokio::test]
async fn others_objects_inside_and_rights_outside_do_not_hold_it() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    let before = count_of_roles(&superuser, "drop_mixed").await;
    let case = Case::new("drop_mixed");
    case.create(&admin).await;
    // Inside: tables of a superuser. Outside: rights on the administrator's own things in its database, in another
    // tenant's database, and on that database itself.
    let inside = server().superuser("drop_mixed").await.unwrap();
    run(&inside, "CREATE TABLE public.of_postgres (id int)").await;
    drop(inside);
    run(&superuser, "CREATE SCHEMA drop_admins AUTHORIZATION hcpg_admin").await;
    run(&admin, "CREATE TABLE drop_admins.t (id int); GRANT ALL ON drop_admins.t TO drop_mixed").await;
    run(&admin, "GRANT ALL ON SCHEMA drop_admins TO drop_mixed").await;
    let neighbour = Case::new("drop_neighbour");
    neighbour.create(&admin).await;
    let neighbours = neighbour.login().await.unwrap();
    run(
        &neighbours,
        "GRANT CONNECT ON DATABASE drop_neighbour TO drop_mixed; GRANT ALL ON SCHEMA public TO drop_mixed",
    )
    .await;
    let visitor = server().login("drop_mixed", &case.password, "drop_neighbour").await.unwrap();
    run(&visitor, "CREATE TABLE public.visitors (id int); INSERT INTO public.visitors VALUES (1)").await;
    run(&visitor, "GRANT SELECT ON public.visitors TO drop_neighbour").await;

    case.drop(&admin).await;
    assert_eq!(count_of_roles(&superuser, "drop_mixed").await, before);
    // Data outside its own database is handed over, not lost.
    assert_eq!(text(&neighbours, "SELECT count(*)::text FROM public.visitors").await, "1");
}

#[tokio::test]
async fn originals_leak_in_the_maintenance_database_is_cleaned_up() {
    let superuser = server().superuser("postgres").await.unwrap();
    let case = Case::new("drop_leak");
    case.create(&superuser).await;
    run(&superuser, "GRANT ALL PRIVILEGES ON SCHEMA public TO drop_leak").await;
    case.drop(&superuser).await;
    assert_eq!(count_of_roles(&superuser, "drop_leak").await, "0");
}

#[tokio::test]
async fn rights_beyond_the_administrators_reach_are_reported() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    let case = Case::new("drop_reach");
    case.create(&admin).await;
    run(&superuser, "CREATE DATABASE drop_far").await;
    let far = server().superuser("drop_far").await.unwrap();
    run(&far, "GRANT ALL PRIVILEGES ON SCHEMA public TO drop_reach").await;
    drop_database(&admin, &case.spec(), Adoption::OnlyMarked).await.unwrap();
    let error = drop_role(&admin, &case.names, &case.uid, Adoption::OnlyMarked).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::NotPermitted, "{error}");
    run(&far, "REVOKE ALL PRIVILEGES ON SCHEMA public FROM drop_reach").await;
    drop_role(&admin, &case.names, &case.uid, Adoption::OnlyMarked).await.unwrap();
}

#[tokio::test]
async fn role_stays_while_it_owns_a_database() {
    let admin = server().admin().await;
    let case = Case::new("drop_order");
    case.create(&admin).await;
    let error = drop_role(&admin, &case.names, &case.uid, Adoption::OnlyMarked).await.unwrap_err();
    assert!(matches!(&error, SqlError::OwnsDatabases { databases, .. } if databases == &["drop_order"]));
    assert_eq!(error.kind(), SqlErrorKind::Busy);
    case.login().await.unwrap();
}

#[tokio::test]
async fn interrupted_drop_is_finished() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    let case = Case::new("drop_interrupted");
    case.create(&admin).await;
    run(&superuser, "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'drop_interrupted'").await;
    let state = case.observe(&admin).await;
    assert!(!state.accepts_connections && !state.seen_inside);
    case.drop(&admin).await;
    assert_eq!(case.observe(&admin).await.database, Existence::Absent);
}

#[tokio::test]
async fn live_sessions_of_the_role_elsewhere_end_with_it() {
    let admin = server().admin().await;
    let case = Case::new("drop_elsewhere");
    case.create(&admin).await;
    let elsewhere = server().login("drop_elsewhere", &case.password, "postgres").await.unwrap();
    case.drop(&admin).await;
    assert!(elsewhere.rows("SELECT", "1", "SELECT 1", &[]).await.is_err());
}
