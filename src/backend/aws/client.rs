//! The way to the service: credentials, endpoint, trust, time limits, and the budget that every call passes.

use std::time::{Duration, Instant};

use aws_config::sts::AssumeRoleProvider;
use aws_config::{AppName, BehaviorVersion, Region};
use aws_sdk_rds::Client;
use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::config::retry::RetryConfig;
use aws_sdk_rds::config::timeout::TimeoutConfig;
use aws_sdk_rds::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_rds::types::DbInstance;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use tokio::sync::{Mutex, OnceCell};

use super::error::{Failed, failed};
use crate::backend::cloud::{Budget, Listing};
use crate::backend::{BackendError, Urgency};
use crate::config::AwsConfig;

/// For the whole of one call.
const CALL: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);
/// How long it is believed that the credentials are still of the same account.
const ACCOUNT: Duration = Duration::from_secs(60);

const NAME: &str = "hybrid-cloud-postgresql-operator";

/// One account and region.
#[derive(Debug)]
pub(super) struct Service {
    config: AwsConfig,
    /// Certificates in PEM that are trusted besides the known ones.
    trust: Option<String>,
    clients: OnceCell<Clients>,
    /// The account of the credentials, and when it was asked for.
    account: Mutex<Option<(Instant, String)>>,
    budget: Budget,
    /// Instances of RDS and members of clusters, which both backends look at.
    pub(super) instances: Listing<DbInstance>,
}

#[derive(Debug)]
struct Clients {
    rds: Client,
    sts: aws_sdk_sts::Client,
}

impl Service {
    pub(super) fn new(config: &AwsConfig, trust: Option<String>) -> Self {
        let budget = Budget::new(config.call_budget);
        let (clients, account) = (OnceCell::new(), Mutex::default());
        let instances = Listing::new();
        Self { config: config.clone(), trust, clients, account, budget, instances }
    }

    /// Whether another backend with this configuration makes the same calls in the same way, so that it shares the
    /// budget.
    pub(super) fn serves(&self, other: &AwsConfig) -> bool {
        let way = |config: &AwsConfig| {
            let AwsConfig {
                region, assume_role_arn, endpoint, sts_endpoint, extra_ca_file, call_budget, ..
            } = config.clone();
            (region, assume_role_arn, endpoint, sts_endpoint, extra_ca_file, call_budget)
        };
        way(&self.config) == way(other)
    }

    pub(super) fn region(&self) -> &str {
        &self.config.region
    }

    /// The certificates that servers are verified with; none: they are not.
    pub(super) fn trust(&self) -> Option<&str> {
        self.trust.as_deref()
    }

    /// Makes one call, when the budget allows it.
    pub(super) async fn call<T, E: ProvideErrorMetadata>(
        &self,
        name: &'static str,
        urgency: Urgency,
        secret: Option<&str>,
        send: impl AsyncFnOnce(&Client) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, Failed> {
        self.budget.take(urgency).await;
        // The SDK's futures are large, and several of them stand in each of ours.
        let answer = Box::pin(send(&self.clients().await?.rds)).await;
        answer.map_err(|error| {
            let failed = failed(name, &error, secret);
            if let Some(pause) = failed.throttled() {
                self.budget.pause(pause);
            }
            failed
        })
    }
}

impl Service {
    async fn clients(&self) -> Result<&Clients, BackendError> {
        // Boxed: it is made once, and would stand in the future of every call.
        let made = || Box::pin(connect(&self.config, self.trust.as_deref()));
        self.clients.get_or_try_init(made).await
    }

    /// The account that the credentials belong to. Everybody may ask for his own.
    pub(super) async fn account(&self) -> Result<String, BackendError> {
        let mut known = self.account.lock().await;
        if let Some((_, account)) = known.as_ref().filter(|(asked, _)| asked.elapsed() < ACCOUNT) {
            return Ok(account.clone());
        }
        let answer = self.clients().await?.sts.get_caller_identity().send().await;
        let answer = answer.map_err(|error| failed("GetCallerIdentity", &error, None).error)?;
        let nobody = || BackendError::transient("GetCallerIdentity: AWS names no account");
        let account = answer.account.ok_or_else(nobody)?;
        *known = Some((Instant::now(), account.clone()));
        Ok(account)
    }
}

/// Credentials by the SDK's default chain: environment, profile, web identity, container, instance.
async fn connect(aws: &AwsConfig, trust: Option<&str>) -> Result<Clients, BackendError> {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(CALL).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .timeout_config(timeouts)
        // The controller tries again, with a pause per object; two who do are in each other's way.
        .retry_config(RetryConfig::disabled());
    if let Ok(name) = AppName::new(NAME) {
        loader = loader.app_name(name);
    }
    if let Some(pem) = trust {
        loader = loader.http_client(trusting(pem)?);
    }
    let shared = loader.load().await;
    let mut rds = aws_sdk_rds::config::Builder::from(&shared);
    let mut sts = aws_sdk_sts::config::Builder::from(&shared);
    if let Some(role) = &aws.assume_role_arn {
        let provider = AssumeRoleProvider::builder(role).session_name(NAME).configure(&shared);
        let provider = SharedCredentialsProvider::new(provider.build().await);
        rds = rds.credentials_provider(provider.clone());
        sts = sts.credentials_provider(provider);
    }
    if let Some(endpoint) = &aws.endpoint {
        rds = rds.endpoint_url(endpoint);
    }
    if let Some(endpoint) = &aws.sts_endpoint {
        sts = sts.endpoint_url(endpoint);
    }
    Ok(Clients { rds: Client::from_conf(rds.build()), sts: aws_sdk_sts::Client::from_conf(sts.build()) })
}

/// The host's certificates and these.
fn trusting(pem: &str) -> Result<SharedHttpClient, BackendError> {
    let store = TrustStore::empty().with_native_roots(true).with_pem_certificate(pem.as_bytes());
    let context = TlsContext::builder().with_trust_store(store).build();
    let context =
        context.map_err(|_| BackendError::rejected("extra_ca_file: the certificates cannot be used"))?;
    let builder = aws_smithy_http_client::Builder::new();
    Ok(builder.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context).build_https())
}
