use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case("orders", "orders")]
#[case("my-app-db", "my_app_db")]
#[case("a.b", "a.b")]
#[case("1abc", "1abc")]
#[case("order", "order")]
#[case("postgres-app", "postgres_app")]
fn ordinary_names(#[case] object: &str, #[case] expected: &str) {
    assert_eq!(database_name_for(object, &["hcpg_admin"]).unwrap(), expected);
}

#[rstest]
#[case("postgres")]
#[case("template0")]
#[case("template1")]
#[case("public")]
#[case("none")]
#[case("yugabyte")]
#[case("rdsadmin")]
#[case("azuresu")]
#[case("azure-pg-admin")]
#[case("azure-anything")]
#[case("pg-monitor")]
#[case("pg-mine")]
#[case("cloudsqladmin")]
fn reserved_names_say_why(#[case] object: &str) {
    let error = database_name_for(object, &[]).unwrap_err();
    assert!(matches!(error, NameError::Reserved { .. }));
    let text = error.to_string();
    assert!(text.contains(&object.replace('-', "_")) && text.contains("another name"), "{text}");
}

#[rstest]
#[case("hcpg-admin", "hcpg_admin")]
#[case("pgadmin", "PgAdmin")]
#[case("sqladmin", "sqladmin@my-server")]
fn administrators_keep_their_names(#[case] object: &str, #[case] administrator: &str) {
    let error = database_name_for(object, &["other", administrator]).unwrap_err();
    assert!(matches!(error, NameError::Administrator { .. }));
}

#[test]
fn unusable_names() {
    assert_eq!(database_name_for("", &[]), Err(NameError::Unusable));
    assert_eq!(database_name_for("a\0b", &[]), Err(NameError::Unusable));
}

#[test]
fn long_names_are_cut_and_stay_what_they_are() {
    let object = "a".repeat(70);
    let name = database_name_for(&object, &[]).unwrap();
    assert_eq!(name.len(), 63);
    // Fixed for ever: another hash would look for another database after an upgrade of the operator.
    assert_eq!(name, format!("{}_d83db239", "a".repeat(54)));
    assert_ne!(name, database_name_for(&"a".repeat(71), &[]).unwrap());
    assert_eq!(database_name_for(&"a".repeat(63), &[]).unwrap(), "a".repeat(63));
    assert_eq!(original_database_name_for(&object), "a".repeat(63));
}

#[test]
fn what_the_original_named_keeps_its_name_unless_it_can_be_nobodys() {
    let long = "a".repeat(70);
    assert_eq!(taken_over_name_for(&long, &[]), Ok("a".repeat(63)));
    assert_eq!(taken_over_name_for("my-app", &["postgres"]), Ok("my_app".to_owned()));
    assert_eq!(taken_over_name_for("azure-shop", &[]), Ok("azure_shop".to_owned()));
    assert!(database_name_for("azure-shop", &[]).is_err());
    for name in ["azure-sys", "azure-pg-admin", "postgres", "template1", "pg-x", "rdsadmin"] {
        let error = taken_over_name_for(name, &[]).unwrap_err();
        assert!(matches!(error, NameError::Reserved { .. }), "{name}: {error}");
    }
    let error = taken_over_name_for("boss", &["boss"]).unwrap_err();
    assert!(matches!(error, NameError::Administrator { .. }));
}

proptest! {
    #[test]
    fn names_fit_and_differ(one in "[a-z0-9]([-.a-z0-9]{0,120}[a-z0-9])?", two in "[a-z0-9]([-.a-z0-9]{0,120}[a-z0-9])?") {
        if let (Ok(first), Ok(second)) = (database_name_for(&one, &[]), database_name_for(&two, &[])) {
            prop_assert!(first.len() <= 63 && second.len() <= 63);
            prop_assert_eq!(one == two, first == second);
        }
    }

    #[test]
    fn no_name_panics(name in "\\PC{0,100}") {
        let _ = database_name_for(&name, &[]);
        prop_assert!(original_database_name_for(&name).len() <= 63);
    }
}
