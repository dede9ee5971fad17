//! The client against a server that answers what a test says.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Request as Asked, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::credentials::Bearer;
use super::*;

/// Status, headers and body.
type Answer<B> = (u16, Vec<(&'static str, String)>, B);

/// What a test says, answer by answer; and what was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer<String>>>,
    asked: Mutex<Vec<String>>,
}

/// Counts how often a new token was asked for.
#[derive(Debug, Default)]
struct Tokens(Mutex<u32>);

#[async_trait]
impl Token for Tokens {
    async fn get(&self, renew: bool) -> Result<Bearer, BackendError> {
        let mut count = self.0.lock().unwrap();
        *count += u32::from(renew);
        Bearer::new(&format!("token-{count}"))
    }
}

async fn answer(State(script): State<Arc<Script>>, asked: Asked) -> Response {
    let token = asked.headers()["authorization"].to_str().unwrap().to_owned();
    let line = format!("{} {} {token}", asked.method(), asked.uri());
    script.asked.lock().unwrap().push(line);
    let (status, headers, body) = script.answers.lock().unwrap().pop_front().unwrap();
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A client, its server's address, and what the server was asked.
async fn client(answers: Vec<Answer<Value>>) -> (Arm, String, Arc<Script>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let script = Arc::new(Script::default());
    for (status, headers, body) in answers {
        let filled = |text: &str| text.replace("HERE", &address);
        let headers = headers.into_iter().map(|(name, value)| (name, filled(&value))).collect();
        script.answers.lock().unwrap().push_back((status, headers, filled(&body.to_string())));
    }
    let app = Router::new().fallback(answer).with_state(Arc::clone(&script));
    tokio::spawn(async { axum::serve(listener, app).await });
    let arm = Arm::new(&address, Http::new(&[]).unwrap(), Arc::new(Tokens::default()), CallBudget::default());
    (arm, address, script)
}

const CALL: Call<'_> =
    Call { name: "reading the server", path: "/servers/a", version: "2025-08-01", urgency: Urgency::User };

fn refusal(status: u16, code: &str) -> (u16, Vec<(&'static str, String)>, Value) {
    (status, vec![], json!({"error": {"code": code, "message": "said so, s3cret"}}))
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let unauthorised = || refusal(401, "ExpiredAuthenticationToken");
    let (arm, _, script) = client(vec![unauthorised(), (200, vec![], json!({"a": 1}))]).await;
    assert_eq!(arm.get::<Value>(CALL).await.unwrap(), Some(json!({"a": 1})));
    let asked = script.asked.lock().unwrap().clone();
    let line = |token: &str| format!("GET /servers/a?api-version=2025-08-01 Bearer {token}");
    assert_eq!(asked, [line("token-0"), line("token-1")]);
    let (arm, _, script) = client(vec![unauthorised(), unauthorised()]).await;
    assert_eq!(arm.get::<Value>(CALL).await.unwrap_err().label(), "transient");
    assert_eq!(script.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn absent_is_only_what_the_service_calls_so() {
    let missing = (404, vec![], json!("<html>"));
    let answers = vec![refusal(404, "ResourceNotFound"), refusal(404, "ResourceGroupNotFound"), missing];
    let (arm, ..) = client(answers).await;
    assert_eq!(arm.get::<Value>(CALL).await.unwrap(), None);
    assert_eq!(arm.get::<Value>(CALL).await.unwrap_err().label(), "rejected");
    assert_eq!(arm.get::<Value>(CALL).await.unwrap_err().label(), "transient");
}

#[tokio::test]
async fn a_listing_is_read_page_by_page_and_a_token_goes_nowhere_else() {
    let page = |next: &str| (200, vec![], json!({"value": [1, 2], "nextLink": next}));
    let last = (200, vec![], json!({"value": [3]}));
    let (arm, ..) = client(vec![page("HERE/servers?skip=2"), last]).await;
    assert_eq!(arm.list::<u32>(CALL).await.unwrap(), [1, 2, 3]);
    for elsewhere in ["https://example.com/servers", "HERE.example.com/servers"] {
        let (arm, _, script) = client(vec![page(elsewhere)]).await;
        assert_eq!(arm.list::<u32>(CALL).await.unwrap_err().label(), "transient");
        assert_eq!(script.asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_operation_is_asked_about_until_it_ends_and_not_before_its_time() {
    let begun = (
        202,
        vec![("azure-asyncoperation", "HERE/op".to_owned()), ("retry-after", "0".to_owned())],
        json!({}),
    );
    let status = |status: &str| (200, vec![("retry-after", "0".to_owned())], json!({"status": status}));
    let failed = json!({"status": "Failed", "error": {"code": "QuotaExceeded", "message": "none left"}});
    let (arm, _, script) = client(vec![
        begun,
        status("InProgress"),
        status("Succeeded"),
        (200, vec![], failed),
        refusal(404, "X"),
    ])
    .await;
    let mut operation = arm.write::<Value>(CALL, Method::DELETE, None, None).await.unwrap().unwrap();
    let Progress::Running(again) = arm.progress("x", &operation).await.unwrap() else { panic!("it goes on") };
    assert!(matches!(arm.progress("x", &again).await.unwrap(), Progress::Done));
    let Progress::Failed(error) = arm.progress("x", &again).await.unwrap() else { panic!("it failed") };
    assert!(error.to_string().contains("quota"), "{error}");
    assert!(matches!(arm.progress("x", &again).await.unwrap(), Progress::Forgotten));
    operation.not_before = Instant::now() + Duration::from_secs(60);
    assert!(matches!(arm.progress("x", &operation).await.unwrap(), Progress::Running(_)));
    assert_eq!(script.asked.lock().unwrap().len(), 5, "nobody asked before the time");
}

#[tokio::test]
async fn an_operation_elsewhere_is_not_asked_about() {
    let begun = (202, vec![("location", "https://example.com/op".to_owned())], json!({}));
    let (arm, ..) = client(vec![begun]).await;
    assert_eq!(arm.write::<Value>(CALL, Method::DELETE, None, None).await.unwrap(), None);
}

#[tokio::test]
async fn an_operation_that_was_kept_is_asked_about_at_once_and_only_here() {
    let running = (202, vec![], json!({}));
    let (arm, address, script) = client(vec![running, (204, vec![], json!({}))]).await;
    for elsewhere in ["https://example.com/op".to_owned(), format!("{address}.example.com/op"), String::new()]
    {
        assert_eq!(arm.kept(&elsewhere, None), None);
    }
    let operation = arm.kept(&format!("{address}/op"), Some("location")).unwrap();
    assert_eq!(operation.to_keep(), (format!("{address}/op").as_str(), "location"));
    assert!(matches!(arm.progress("x", &operation).await.unwrap(), Progress::Running(_)));
    assert!(matches!(arm.progress("x", &operation).await.unwrap(), Progress::Done));
    assert_eq!(script.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_password_that_is_repeated_is_not_passed_on() {
    let (arm, ..) = client(vec![refusal(400, "InvalidParameterValue")]).await;
    let (body, password) = (json!({"password": "s3cret"}), Password::new("s3cret"));
    let failed = arm.write(CALL, Method::PUT, Some(&body), Some(&password)).await.unwrap_err();
    assert!(!format!("{failed:?}").contains("s3cret"), "{failed:?}");
}

#[tokio::test]
async fn too_many_calls_pause_all_of_them() {
    let many = (429, vec![("retry-after", "1".to_owned())], json!({}));
    let (arm, ..) = client(vec![many, (200, vec![], json!({}))]).await;
    let begun = Instant::now();
    assert_eq!(arm.get::<Value>(CALL).await.unwrap_err().label(), "transient");
    assert!(arm.get::<Value>(CALL).await.unwrap().is_some());
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn without_an_answer_the_reason_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let arm = Arm::new(&address, Http::new(&[]).unwrap(), Arc::new(Tokens::default()), CallBudget::default());
    let told = arm.get::<Value>(CALL).await.unwrap_err().to_string();
    assert!(told.contains("refused"), "{told}");
}
