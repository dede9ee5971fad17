//! Collations: of the C library and of ICU.

use super::*;

#[tokio::test]
async fn collations_of_icu_work_inside_every_database() {
    let case = Case::new("locale_icu");
    case.create(&server().admin().await).await;
    let tenant = case.login().await.unwrap();
    run(&tenant, "CREATE COLLATION public.phonebook (provider = icu, locale = 'de-u-co-phonebk')").await;
    let sorted = |collation: &str| {
        format!(
            "SELECT string_agg(w, ' ' ORDER BY w COLLATE {collation}) FROM unnest(ARRAY['Goethe', 'Göbel', 'Gutz', 'god']) w"
        )
    };
    assert_eq!(text(&tenant, &sorted("public.phonebook")).await, "god Göbel Goethe Gutz");
    // The database's own is the C library's C.UTF-8.
    assert_eq!(text(&tenant, &sorted("pg_catalog.\"default\"")).await, "Goethe Gutz Göbel god");
}

#[tokio::test]
async fn database_of_icu_is_adopted_and_dropped_like_any_other() {
    let admin = server().admin().await;
    let superuser = server().superuser("postgres").await.unwrap();
    let create = "CREATE DATABASE locale_adopted TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'";
    if admin.version_num() < 150_000 {
        // Since 15 a whole database can have ICU's rules.
        let error = superuser.execute("test", "", create).await.unwrap_err();
        assert!(error.to_string().contains("42601"), "{error}");
        return;
    }
    let case = Case::new("locale_adopted");
    case.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    run(&superuser, create).await;
    run(&superuser, "ALTER DATABASE locale_adopted OWNER TO locale_adopted").await;
    configure_database(&admin, &case.spec(), Adoption::AlsoUnmarked).await.unwrap();
    assert!(case.observe(&admin).await.is_configured());
    let tenant = case.login().await.unwrap();
    assert_eq!(
        text(&tenant, "SELECT string_agg(w, ' ' ORDER BY w) FROM unnest(ARRAY['b', 'Ä', 'a']) w").await,
        "a Ä b"
    );
    drop(tenant);
    case.drop(&admin).await;
}

#[tokio::test]
async fn collation_is_the_c_librarys_also_where_the_server_has_icu() {
    let admin = server().admin().await;
    let case = Case::new("locale_libc");
    case.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    let spec = DatabaseSpec { charset: Some("UTF8"), collation: Some("C.UTF-8"), ..case.spec() };
    create_database(&admin, &spec, Adoption::OnlyMarked).await.unwrap();
    let state = observe(&admin, &spec).await.unwrap();
    assert_eq!((state.charset.as_deref(), state.collation.as_deref()), (Some("UTF8"), Some("C.UTF-8")));
    // An ICU locale is no collation of the C library, and the user is told.
    let icu = Case::new("locale_icu_name");
    icu.create_role(&admin, Adoption::OnlyMarked).await.unwrap();
    let spec = DatabaseSpec { collation: Some("de-u-co-phonebk"), ..icu.spec() };
    let error = create_database(&admin, &spec, Adoption::OnlyMarked).await.unwrap_err();
    assert_eq!(error.kind(), SqlErrorKind::InvalidRequest, "{error}");
}
