//! From a request to its answer, with the faults in between.

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};

use crate::faults::Kind;

use super::wire::{Form, Refusal};
use super::{Call, Cloud, Place, actions, control, sts, wire};

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// The version of the token service's interface; RDS' is 2014-10-31.
const STS_VERSION: &str = "2011-06-15";

pub(super) async fn serve(cloud: Arc<Cloud>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    if head.uri.path().starts_with("/_sim/") {
        let (status, text) = control::answer(&cloud, &head.method, head.uri.path(), &body);
        return response(status, "application/json", whole(text));
    }
    let form = Form::parse(&body);
    let action = form.get("Action").unwrap_or_default().to_owned();
    let id = id(&form);
    let fault = cloud.faults.take(&action, &id);
    let signed = signed(&cloud, &head.headers);
    let request_id = format!("00000000-0000-4000-8000-{:012x}", cloud.number());
    let (place, answer) = match signed {
        Ok(signed) => {
            let place = signed
                .as_ref()
                .map(|(caller, region)| Place { account: caller.account.clone(), region: region.clone() });
            let caller = signed.map(|(caller, _)| caller);
            let answer = carry_out(&cloud, &form, caller.as_ref(), place.as_ref(), fault.as_ref()).await;
            (place, answer)
        }
        Err(refusal) => (None, Err(refusal)),
    };
    let silent = matches!(fault, Some(Kind::Reset | Kind::Hang | Kind::Lost));
    let (status, text) = match (&fault, answer) {
        (Some(Kind::Error(status, code)), _) => {
            (*status, wire::error(*status, code, "A fault that a test asked for.", &request_id))
        }
        (_, Ok(result)) => {
            let namespace = wire::namespace(form.get("Version") == Some(STS_VERSION));
            (200, wire::answer(&action, &result, &request_id, namespace))
        }
        (_, Err(Refusal(status, code, message))) => {
            (status, wire::error(status, code, &message, &request_id))
        }
    };
    let place = place.unwrap_or_else(|| Place { account: String::new(), region: String::new() });
    let call = Call {
        action,
        id,
        account: place.account,
        region: place.region,
        fields: form.tellable(),
        status: if silent { 0 } else { status },
    };
    cloud.log.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    match fault {
        Some(Kind::Hang) => {
            // Longer than any client waits.
            tokio::time::sleep(Duration::from_secs(600)).await;
            Err(closed())
        }
        Some(Kind::Reset | Kind::Lost) => Err(closed()),
        Some(Kind::Truncated) => response(status, "text/xml", truncated(&text)),
        Some(Kind::SlowDrip(time)) => response(status, "text/xml", dripping(&text, time)),
        _ => response(status, "text/xml", whole(text)),
    }
}

fn closed() -> io::Error {
    io::Error::other("a fault closes the connection")
}

async fn carry_out(
    cloud: &Arc<Cloud>,
    form: &Form,
    caller: Option<&sts::Caller>,
    place: Option<&Place>,
    fault: Option<&Kind>,
) -> wire::Answer {
    match fault {
        Some(Kind::ExpiredToken) => return Err(sts::expired()),
        Some(fault) if !fault.executes() => return Ok(String::new()),
        _ => {}
    }
    if form.get("Version") == Some(STS_VERSION) {
        return sts::perform(cloud, form, caller);
    }
    let Some(place) = place else {
        let message = "The request is not signed with SigV4.".to_owned();
        return Err(Refusal(403, "MissingAuthenticationToken", message));
    };
    let realm = cloud.realm(place);
    let before = match fault {
        Some(Kind::Eventual(reads)) => Some((*reads, realm.state().clone())),
        _ => None,
    };
    let answer = actions::perform(&realm, form).await;
    if let (Some((reads, before)), true) = (before, answer.is_ok()) {
        realm.hold_back(reads, before);
    }
    answer
}

fn id(form: &Form) -> String {
    // The last one: all members of a cluster.
    const NAMES: [&str; 5] = [
        "DBInstanceIdentifier",
        "DBClusterIdentifier",
        "DBParameterGroupName",
        "DBClusterParameterGroupName",
        "Filters.Filter.1.Values.Value.1",
    ];
    // Not `get`: this is no place that reads it.
    let fields = form.tellable();
    NAMES.iter().find_map(|name| fields.get(*name)).map(|id| id.to_lowercase()).unwrap_or_default()
}

/// From `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`. Signatures are not
/// checked.
fn signed(cloud: &Cloud, headers: &HeaderMap) -> Result<Option<(sts::Caller, String)>, Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scope = text("authorization")
        .and_then(|text| text.strip_prefix("AWS4-HMAC-SHA256 "))
        .and_then(|text| text.split("Credential=").nth(1))
        .and_then(|text| text.split([',', ' ']).next());
    let parts: Vec<&str> = scope.unwrap_or_default().split('/').collect();
    let [key, _, region, "rds" | "sts", "aws4_request"] = parts.as_slice() else { return Ok(None) };
    let caller = cloud.sessions().caller(key, text("x-amz-security-token"), cloud.clock.now())?;
    Ok(Some((caller, (*region).to_owned())))
}

fn response(status: u16, kind: &'static str, body: Body) -> io::Result<Response<Body>> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).map_err(io::Error::other)?;
    response.headers_mut().insert("content-type", http::HeaderValue::from_static(kind));
    Ok(response)
}

fn whole(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed()
}

/// Half of the text, then an error, which closes the connection in the middle.
fn truncated(text: &str) -> Body {
    let half = Bytes::copy_from_slice(&text.as_bytes()[..text.len() / 2]);
    let parts = futures::stream::iter([Ok(Frame::data(half)), Err(closed())]).then(|part| async {
        // What was sent before is on its way by then.
        tokio::time::sleep(Duration::from_millis(20)).await;
        part
    });
    BodyExt::boxed(StreamBody::new(Box::pin(parts) as Parts))
}

/// The whole text in pieces, the last one after this time.
fn dripping(text: &str, time: Duration) -> Body {
    const PIECES: usize = 20;
    let size = text.len().div_ceil(PIECES).max(1);
    let pieces: Vec<Bytes> = text.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
    let pause = time / u32::try_from(pieces.len()).unwrap_or(1).max(1);
    let parts = futures::stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok(Frame::data(piece))
    });
    BodyExt::boxed(StreamBody::new(Box::pin(parts) as Parts))
}

type Parts = std::pin::Pin<Box<dyn futures::Stream<Item = io::Result<Frame<Bytes>>> + Send + Sync>>;
