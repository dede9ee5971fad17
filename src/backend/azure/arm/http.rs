//! HTTP with TLS, for Azure's resource manager and the places tokens come from: the pieces that kube and the SDK of AWS
//! bring along, so that there is one TLS in the operator.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;

use crate::fence;

/// For the whole of one call.
const CALL: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);
/// More than a page of a listing has.
const LARGEST: usize = 16 << 20;

/// A pool of connections.
#[derive(Clone, Debug)]
pub(in super::super) struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// There was no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(in super::super) struct Unanswered(String);

impl Http {
    /// Trusts the authorities of the system, and these.
    ///
    /// # Errors
    /// When no TLS can be had at all.
    pub(in super::super) fn new(extra: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        // Some files of a system hold what is no authority; the others count.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots.add_parsable_certificates(extra.iter().cloned());
        let tls = rustls::ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self(Client::builder(fence::connections()).build(connector)))
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When there was no answer, whether or not the request arrived.
    pub(in super::super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Unanswered> {
        let call = async {
            let answer = self.0.request(request).await.map_err(|error| Unanswered(innermost(&error)))?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, LARGEST).collect().await;
            let body = body.map_err(|error| Unanswered(innermost(error.as_ref())))?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        let late = |_| Unanswered(format!("no answer within {} seconds", CALL.as_secs()));
        tokio::time::timeout(CALL, call).await.map_err(late)?
    }
}

/// What lies behind all the layers: "connection refused", "invalid peer certificate: UnknownIssuer".
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
