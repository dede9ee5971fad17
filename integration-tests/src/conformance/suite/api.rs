//! Every fault of the API server at every request of every flow.

use hcpg::api::{PostgreSQLDatabase, Reason};
use strum::IntoEnumIterator;

use super::matrix::API;
use super::states::stalls;
use crate::conformance::api_faults::{ApiFault, Target};
use crate::conformance::askers::{Asker, DATABASES, SERVERS};
use crate::conformance::course::created_once;
use crate::conformance::faults::Operation;
use crate::conformance::flow::Flow;
use crate::conformance::outcomes::Outcome;
use crate::conformance::{Case, Course};

/// A database that keeps its server from going.
const KEEPER: &str = "keeper";

/// One server goes through all flows, and in each every request meets the fault once.
pub(super) async fn at_the_api_server(case: Case, fault: ApiFault) {
    let slug: &str = fault.into();
    let mut course = Course::default();
    for flow in Flow::iter() {
        let kind = if flow.is_of_database() { DATABASES } else { SERVERS };
        let asker = Asker { namespace: case.namespace.clone(), kind };
        if flow == Flow::DeleteServer {
            case.create_database(KEEPER).await;
        }
        case.bench.api_faults.plan(&asker, fault);
        flow.begin(&case).await;
        if flow == Flow::DeleteServer {
            is_kept(&case, fault, &asker).await;
        }
        course.ends_well(&case, flow).await;
        let met = case.bench.api_faults.met(&asker, fault);
        assert!(!met.is_empty(), "{}: {flow:?}: requests have met the fault", case.namespace);
        for target in met {
            let target: &str = target.into();
            case.bench.outcomes.note(API, &format!("{slug} · {target}"), flow, Outcome::of(flow));
        }
    }
    created_once(&case);
}

/// A server in use stays, also where it cannot be read for a while that it is: only then the last database goes.
async fn is_kept(case: &Case, fault: ApiFault, asker: &Asker) {
    let listing = Target::DatabasesRead;
    case.until("the databases were listed", async || {
        let met = !fault.befits(listing) || !case.bench.api_faults.is_left(asker, listing);
        met.then_some(())
    })
    .await;
    case.server_where("waits for its databases", |server| stalls(server, Reason::DatabasesExist)).await;
    let deletions = case.calls().iter().filter(|call| call.operation == Operation::Delete).count();
    assert_eq!(deletions, 0, "{}: a server in use stays: {}", case.namespace, case.told());
    case.delete::<PostgreSQLDatabase>(KEEPER).await;
    case.gone::<PostgreSQLDatabase>(KEEPER).await;
}
