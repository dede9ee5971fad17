//! What has to stay as it is while one server and its database go through the flows.

use hcpg::api::PostgreSQLServer;

use super::case::{Case, SECRET};
use super::faults::{Fault, Operation};
use super::flow::{DATABASE_SECRET, Flow};
use crate::world::{Holder, Passwords};

/// One server on its way through the flows: its passwords, and which server it is.
#[derive(Default)]
pub struct Course {
    passwords: Passwords,
    uid: Option<String>,
}

impl Course {
    /// Waits until the flow is done and everything is as it should be ([`Flow::is_done`]). Then it is the same server as
    /// before; a password that was to be replaced is, and the one from before is refused; the others are what they were.
    pub async fn ends_well(&mut self, case: &Case, flow: Flow) {
        flow.is_done(case).await;
        self.goes_on(case, flow, flow.resets()).await;
    }

    /// The same with another, empty server in place of the one from before, and other passwords.
    pub async fn ends_anew(&mut self, case: &Case, flow: Flow) {
        flow.is_done(case).await;
        let lost = self.uid.take();
        self.goes_on(case, flow, &Holder::ALL).await;
        assert!(lost.is_none() || self.uid != lost, "{}: {flow:?}: another server", case.namespace);
    }

    async fn goes_on(&mut self, case: &Case, flow: Flow, replaced: &[Holder]) {
        if flow == Flow::DeleteServer {
            return;
        }
        let told = format!("{}: {flow:?}", case.namespace);
        let now = published(case).await;
        now.follow(&self.passwords, replaced, &told).await;
        self.passwords = now;
        let uid = uid_of(case.server().await);
        assert!(uid.is_some(), "{told}: it is known which server it is");
        assert_eq!(
            *self.uid.get_or_insert_with(|| uid.clone().unwrap_or_default()),
            uid.unwrap_or_default(),
            "{told}: the same server"
        );
    }
}

/// The backend has made a server once. Who is told that there is none asks again, which must not make another one: that
/// it is the same server is looked at after each flow.
pub(super) fn created_once(case: &Case) {
    let calls = case.calls();
    let creations = calls.iter().filter(|call| call.operation == Operation::Create && call.executed).count();
    let denied = calls.iter().filter(|call| call.fault == Some(Fault::Stale)).count();
    let told = format!("{}: {creations} creations\n{}", case.namespace, case.told());
    assert!(creations == 1 || (denied > 0 && creations <= 1 + denied), "{told}");
}

/// What is published for the server and the database.
pub(super) async fn published(case: &Case) -> Passwords {
    let (server, database) = (case.credentials_of(SECRET).await, case.credentials_of(DATABASE_SECRET).await);
    Passwords { server, database }
}

/// What tells it apart from another one of the same name.
fn uid_of(server: PostgreSQLServer) -> Option<String> {
    server.status.and_then(|status| status.server?.uid)
}
