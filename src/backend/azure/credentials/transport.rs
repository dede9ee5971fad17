//! The official library's requests by the operator's own connections.

use async_trait::async_trait;
use azure_core::Error;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::request::{Body, Request};
use azure_core::http::{AsyncRawResponse, HttpClient};
use http_body_util::Full;

use super::super::arm::Http;

/// Sends what the library asks for.
#[derive(Debug)]
pub(super) struct ByHttp(pub(super) Http);

#[async_trait]
impl HttpClient for ByHttp {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let other = |text: &'static str| Error::with_message(ErrorKind::Other, text);
        let mut built =
            http::Request::builder().method(request.method().as_str()).uri(request.url().as_str());
        for (name, value) in request.headers().iter() {
            built = built.header(name.as_str(), value.as_str());
        }
        let body = match request.body() {
            Body::Bytes(bytes) => bytes.clone(),
            _ => return Err(other("a stream is not sent")),
        };
        let built = built.body(Full::new(body)).map_err(|_| other("the request cannot be made"))?;
        let answer = self.0.send(built).await;
        let (parts, body) =
            answer.map_err(|why| Error::with_message(ErrorKind::Io, why.to_string()))?.into_parts();
        let pairs = parts.headers.iter().filter_map(|(name, value)| {
            let value = HeaderValue::from(value.to_str().ok()?.to_owned());
            Some((HeaderName::from(name.as_str().to_owned()), value))
        });
        let headers = Headers::from(pairs.collect::<std::collections::HashMap<_, _>>());
        Ok(AsyncRawResponse::from_bytes(parts.status.as_u16().into(), headers, body))
    }
}
