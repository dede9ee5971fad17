//! Azure's resource manager: resources by their path, as JSON, with a token and within a budget.
//!
//! There is no usable crate for the management of PostgreSQL on Azure (`docs/decisions/0026-azure.md`). What is sent and
//! read are the fields we need, as types beside the code that needs them.

mod error;
mod http;
mod operation;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use ::http::{HeaderMap, Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::Full;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::BackendError;
use super::super::Urgency;
use super::super::cloud::Budget;
use super::credentials::Token;
use crate::config::CallBudget;
use crate::secrets::Password;

pub(super) use error::{Failed, PROTECTED};
pub(super) use http::Http;
pub(super) use operation::{Operation, Progress};

/// A listing has no more pages than this.
const PAGES: usize = 200;
const AGENT: &str = concat!("hybrid-cloud-postgresql-operator/", env!("CARGO_PKG_VERSION"));

/// The resource manager of a cloud.
#[derive(Debug)]
pub(super) struct Arm {
    /// For example `https://management.azure.com`, without a slash at the end.
    endpoint: String,
    http: Http,
    token: Arc<dyn Token>,
    budget: Budget,
}

/// What is asked of one resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    /// For people: "reading the server".
    pub(super) name: &'a str,
    /// From the slash before `subscriptions` on, without a query.
    pub(super) path: &'a str,
    /// Of the API.
    pub(super) version: &'a str,
    /// Whether somebody waits.
    pub(super) urgency: Urgency,
}

/// An answer that is a success.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// A page of a listing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    value: Vec<T>,
    #[serde(default)]
    next_link: Option<String>,
}

impl Arm {
    pub(super) fn new(endpoint: &str, http: Http, token: Arc<dyn Token>, allowed: CallBudget) -> Self {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Self { endpoint, http, token, budget: Budget::new(allowed) }
    }

    /// The resource; none where the service says that there is none.
    pub(super) async fn get<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<Option<T>, BackendError> {
        match self.call(call.name, call.urgency, Method::GET, &self.url(call), None, None).await {
            Ok(answer) => read(call.name, &answer.body).map(Some),
            Err(failed) if failed.is_absence() => Ok(None),
            Err(failed) => Err(failed.error),
        }
    }

    /// All resources of a listing, page by page.
    pub(super) async fn list<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<Vec<T>, BackendError> {
        let (mut all, mut url) = (Vec::new(), self.url(call));
        for _ in 0..PAGES {
            let answer = self.call(call.name, call.urgency, Method::GET, &url, None, None).await?;
            let page: Page<T> = read(call.name, &answer.body)?;
            all.extend(page.value);
            match page.next_link.filter(|link| !link.is_empty()) {
                None => return Ok(all),
                Some(next) if self.is_ours(&next) => url = next,
                Some(_) => break,
            }
        }
        Err(BackendError::transient(format!("{}: the listing does not end", call.name)))
    }

    /// Changes something. The operation, where it goes on after the answer.
    pub(super) async fn write<B: Serialize>(
        &self,
        call: Call<'_>,
        method: Method,
        body: Option<&B>,
        secret: Option<&Password>,
    ) -> Result<Option<Operation>, Failed> {
        let body = match body.map(serde_json::to_vec).transpose() {
            Ok(body) => body.map(Bytes::from),
            Err(_) => return Err(error::unanswered(call.name, "the request cannot be written down")),
        };
        let secret = secret.map(Password::expose);
        let answer = self.call(call.name, call.urgency, method, &self.url(call), body, secret).await?;
        let goes_on = matches!(answer.status, StatusCode::CREATED | StatusCode::ACCEPTED);
        let operation = Operation::of(&answer.headers, Instant::now());
        Ok(operation.filter(|operation| goes_on && self.is_ours(&operation.url)))
    }

    /// The operation that was kept, if it is one of this resource manager.
    pub(super) fn kept(&self, url: &str, form: Option<&str>) -> Option<Operation> {
        self.is_ours(url).then(|| Operation::kept(url, form, Instant::now()))
    }

    /// How far an operation is.
    pub(super) async fn progress(&self, name: &str, operation: &Operation) -> Result<Progress, BackendError> {
        if operation.is_fresh(Instant::now()) {
            return Ok(Progress::Running(operation.clone()));
        }
        let answer = self.call(name, Urgency::User, Method::GET, &operation.url, None, None).await;
        let answer = match answer {
            Ok(answer) => answer,
            // Operations are forgotten after hours; the resource itself says the rest.
            Err(failed) if failed.status == 404 => return Ok(Progress::Forgotten),
            // Asking may take more rights than acting did.
            Err(failed) if failed.status == 403 => return Ok(Progress::Forgotten),
            Err(Failed { error: error @ BackendError::Transient { .. }, .. }) => return Err(error),
            Err(failed) => return Ok(Progress::Failed(failed.error)),
        };
        let again = || Progress::Running(operation.clone().later(&answer.headers, Instant::now()));
        Ok(match (operation.form, answer.status) {
            (operation::Form::Status, _) => operation::read(name, &answer.body).unwrap_or_else(again),
            (operation::Form::Location, StatusCode::ACCEPTED) => again(),
            (operation::Form::Location, _) => Progress::Done,
        })
    }

    fn url(&self, call: Call<'_>) -> String {
        format!("{}{}?api-version={}", self.endpoint, call.path, call.version)
    }

    /// A token goes nowhere else, whatever an answer says.
    fn is_ours(&self, url: &str) -> bool {
        url.strip_prefix(&self.endpoint).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Makes one call, when the budget allows it; a second one with a new token where the first one's was refused.
    async fn call(
        &self,
        name: &str,
        urgency: Urgency,
        method: Method,
        url: &str,
        body: Option<Bytes>,
        secret: Option<&str>,
    ) -> Result<Answer, Failed> {
        let mut token = self.token.get(false).await.map_err(|error| unauthorised(name, error))?;
        let mut renewed = false;
        loop {
            self.budget.take(urgency).await;
            let request = Request::builder()
                .method(method.clone())
                .uri(url)
                .header(header::AUTHORIZATION, token.bearer())
                .header(header::ACCEPT, "application/json")
                .header(header::USER_AGENT, AGENT);
            let request = match &body {
                Some(_) => request.header(header::CONTENT_TYPE, "application/json"),
                None => request,
            };
            let request = request.body(Full::new(body.clone().unwrap_or_default()));
            let request = request.map_err(|_| error::unanswered(name, "its address cannot be read"))?;
            let answer = self.http.send(request).await;
            let answer = answer.map_err(|why| error::unanswered(name, &why.to_string()))?;
            if answer.status() == StatusCode::UNAUTHORIZED && !renewed {
                token = self.token.get(true).await.map_err(|error| unauthorised(name, error))?;
                renewed = true;
                continue;
            }
            let (parts, body) = answer.into_parts();
            if parts.status.is_success() {
                return Ok(Answer { status: parts.status, headers: parts.headers, body });
            }
            let retry_after = operation::retry_after(&parts.headers);
            let failed = error::refused(name, parts.status.as_u16(), &body, retry_after, secret);
            if let Some(pause) = failed.throttled() {
                self.budget.pause(pause);
            }
            return Err(failed);
        }
    }
}

fn unauthorised(call: &str, error: BackendError) -> Failed {
    let message = format!("{call}: {error}");
    let error = match error {
        BackendError::Rejected { .. } => BackendError::rejected(message),
        _ => BackendError::transient(message),
    };
    Failed { status: 0, code: None, error }
}

fn read<T: DeserializeOwned>(call: &str, body: &[u8]) -> Result<T, BackendError> {
    // The parser's own words may quote the answer.
    let unreadable = |_| BackendError::transient(format!("{call}: Azure's answer cannot be read"));
    serde_json::from_slice(body).map_err(unreadable)
}
