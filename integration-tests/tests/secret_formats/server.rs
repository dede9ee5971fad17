//! A PostgreSQL with TLS, and roles and databases made as the operator makes them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hcpg::api::PostgreSQLServerSpec;
use hcpg::backend::{DesiredServer, Health, Owner, Read, ServerFacts, ServerObservation, Urgency};
use hcpg::config::Config;
use hcpg::postgres::{
    Adoption, DatabaseNames, DatabaseSpec, Endpoint, Login, PasswordForm, Session, Timeouts, TlsMode,
    create_database, create_role,
};
use hcpg::secrets::{ConnectionFacts, Password};
use integration_tests::conformance::{Local, Subject};
use serde_json::json;

use super::cases::Case;

/// The server; it ends with this.
pub struct Server {
    admin: Session,
    endpoint: Endpoint,
    sslmode: String,
    _subject: Arc<Local>,
}

impl Server {
    /// A new one, of the backend `local`.
    pub async fn start() -> Self {
        let subject = Local::new();
        let yaml = serde_saphyr::to_string(&subject.config()).unwrap();
        let config = Config::parse(&yaml, Path::new("config.yaml"), std::iter::empty()).unwrap().config;
        let backend = subject.backend(&config);
        let owner = Owner { namespace: "team".to_owned(), name: "odd".to_owned(), uid: "1".to_owned() };
        let mut spec = subject.spec();
        // There is nothing to keep, and many a database to make.
        spec["serverParameters"] = json!({"fsync": "off", "full_page_writes": "off"});
        spec["credentialsSecret"] = json!("unused");
        let spec: PostgreSQLServerSpec = serde_json::from_value(spec).unwrap();
        let desired = DesiredServer::new(&owner, &spec);
        let identity = backend.identity(&owner).unwrap();
        let password = Password::new("of the administrator");
        backend.create(&identity, &desired, &password).await.unwrap();
        let facts: ServerFacts = loop {
            match backend.observe(&identity, &owner, Read::Direct(Urgency::User)).await.unwrap() {
                ServerObservation::Present(server) if server.health == Health::Usable => break server.facts,
                ServerObservation::Present(server) => match server.health {
                    Health::Failed { message, .. } => panic!("{message}"),
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                other => panic!("{other:?}"),
            }
        };
        let endpoint = facts.endpoint.unwrap();
        let login =
            Login { user: &facts.admin_username, password: Some(&password), dbname: &facts.admin_database };
        let admin = Session::open(&endpoint, &login, Timeouts::default()).await.unwrap();
        Self { admin, endpoint, sslmode: facts.sslmode, _subject: subject }
    }

    /// Makes the role and, unless it is there already, the database.
    pub async fn add(&self, case: &Case, database_too: bool) {
        let names = DatabaseNames { role: case.username.clone(), database: case.dbname.clone() };
        let (uid, form) = (format!("uid of {}", case.username), PasswordForm::ScramVerifier);
        let spec = DatabaseSpec {
            names: &names,
            owner_uid: &uid,
            charset: None,
            collation: None,
            extensions: &[],
            allowed: None,
        };
        let password = Password::new(case.password.clone());
        let role = create_role(&self.admin, &names, &uid, &password, form, Adoption::OnlyMarked).await;
        role.unwrap_or_else(|error| panic!("{case:?}: {error}"));
        if !database_too {
            return;
        }
        let database = create_database(&self.admin, &spec, Adoption::OnlyMarked).await;
        database.unwrap_or_else(|error| panic!("{case:?}: {error}"));
    }

    /// What the operator writes into the Secret for this login.
    pub fn facts(&self, case: &Case) -> ConnectionFacts {
        let TlsMode::Verify { ca_pem } = &self.endpoint.tls else { panic!("the CA is not known") };
        ConnectionFacts {
            username: case.username.clone(),
            dbname: case.dbname.clone(),
            host: self.endpoint.host.clone(),
            port: self.endpoint.port,
            sslmode: self.sslmode.clone(),
            provider: "local".to_owned(),
            ca_pem: Some(ca_pem.clone()),
        }
    }
}
