//! The administrators that the suite runs as: `HCPG_TEST_POSTGRES_ADMIN` is `plain` (the default), `rds` or `azure`.
//!
//! None is a superuser. What the services add is built of roles, databases and settings of their names: on RDS the master
//! user is a member of `rds_superuser` and owns the databases `postgres` and `template1`
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html>); on Azure it
//! is a member of `azure_pg_admin`, and only extensions on the list `azure.extensions` may be created
//! (<https://learn.microsoft.com/azure/postgresql/extensions/how-to-allow-extensions>).

use super::super::*;
use super::server::{ADMIN, Server};

/// What `azure.extensions` allows here.
const ALLOWED: &str = "uuid-ossp,citext,file_fdw";

/// In `template1`, hence in all databases that are not copied from `template0`.
const ALLOW_LIST: &str = r#"
CREATE SCHEMA azure;
CREATE FUNCTION azure.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE extension text;
BEGIN
  FOR extension IN SELECT e.extname FROM pg_catalog.pg_event_trigger_ddl_commands() c
      JOIN pg_catalog.pg_extension e ON e.oid = c.objid AND c.command_tag = 'CREATE EXTENSION' LOOP
    IF extension <> ALL (pg_catalog.string_to_array(pg_catalog.current_setting('azure.extensions'), ',')) THEN
      RAISE EXCEPTION 'extension "%" is not allow-listed for "azure_pg_admin" users in Azure Database for PostgreSQL',
        extension USING ERRCODE = 'feature_not_supported';
    END IF;
  END LOOP;
END $$;
CREATE EVENT TRIGGER azure_allow_list ON ddl_command_end WHEN TAG IN ('CREATE EXTENSION') EXECUTE FUNCTION azure.refuse()
"#;

/// Whose kind of administrator the tests have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminKind {
    /// `CREATEDB` and `CREATEROLE`, nothing else.
    Plain,
    /// Amazon RDS.
    Rds,
    /// Azure Database for PostgreSQL.
    Azure,
}

impl AdminKind {
    /// As asked for.
    pub fn chosen() -> Self {
        match std::env::var("HCPG_TEST_POSTGRES_ADMIN").as_deref() {
            Err(_) | Ok("plain") => Self::Plain,
            Ok("rds") => Self::Rds,
            Ok("azure") => Self::Azure,
            Ok(other) => panic!("HCPG_TEST_POSTGRES_ADMIN: {other:?} is none of plain, rds, azure"),
        }
    }

    /// Further lines of `postgresql.conf`.
    pub fn settings(self) -> String {
        match self {
            Self::Azure => format!("azure.extensions = '{ALLOWED}'\n"),
            Self::Plain | Self::Rds => String::new(),
        }
    }

    /// Roles, databases and databases' owners that nobody may touch.
    pub fn of_the_service(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Plain => (&[], &[]),
            Self::Rds => (&["rdsadmin", "rds_superuser", "rds_password"], &["rdsadmin"]),
            Self::Azure => (&["azuresu", "azure_pg_admin"], &["azure_maintenance", "azure_sys"]),
        }
    }

    /// Makes the administrator.
    pub async fn create(self, server: &Server, superuser: &Session, password: &str) {
        let admin = format!("CREATE ROLE {ADMIN} LOGIN CREATEDB CREATEROLE PASSWORD '{password}'");
        execute(superuser, &admin).await;
        match self {
            Self::Plain => {}
            Self::Rds => {
                for sql in [
                    "CREATE ROLE rdsadmin SUPERUSER LOGIN; CREATE ROLE rds_superuser; CREATE ROLE rds_password",
                    "GRANT pg_monitor, pg_signal_backend, rds_password TO rds_superuser WITH ADMIN OPTION",
                    "GRANT rds_superuser TO hcpg_admin",
                    "CREATE DATABASE rdsadmin OWNER rdsadmin",
                    "REVOKE ALL ON DATABASE rdsadmin FROM PUBLIC",
                    "ALTER DATABASE postgres OWNER TO hcpg_admin; ALTER DATABASE template1 OWNER TO hcpg_admin",
                ] {
                    execute(superuser, sql).await;
                }
            }
            Self::Azure => {
                for sql in [
                    "CREATE ROLE azuresu SUPERUSER LOGIN; CREATE ROLE azure_pg_admin",
                    "GRANT pg_monitor, pg_signal_backend TO azure_pg_admin WITH ADMIN OPTION",
                    "GRANT azure_pg_admin TO hcpg_admin; GRANT ALL ON DATABASE postgres TO azure_pg_admin",
                    "CREATE DATABASE azure_maintenance OWNER azuresu",
                    "CREATE DATABASE azure_sys OWNER azuresu",
                    "REVOKE ALL ON DATABASE azure_maintenance FROM PUBLIC",
                ] {
                    execute(superuser, sql).await;
                }
                execute(&server.superuser("template1").await.unwrap(), ALLOW_LIST).await;
            }
        }
    }
}

async fn execute(session: &Session, sql: &str) {
    session.execute("test", "", sql).await.unwrap();
}
