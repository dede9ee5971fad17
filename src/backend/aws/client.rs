//! The way to the service: credentials, endpoint, time limits, and the budget that every call passes.

use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{AppName, BehaviorVersion, Region};
use aws_sdk_rds::Client;
use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::config::retry::RetryConfig;
use aws_sdk_rds::config::timeout::TimeoutConfig;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use tokio::sync::OnceCell;

use super::budget::{Budget, Urgency};
use super::error::{Failed, failed};
use super::settings::Account;

/// For the whole of one call.
const CALL: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);

/// One account and region.
#[derive(Debug)]
pub(super) struct Service {
    account: Account,
    client: OnceCell<Client>,
    budget: Budget,
}

impl Service {
    pub(super) fn new(account: Account) -> Self {
        Self { account, client: OnceCell::new(), budget: Budget::new() }
    }

    pub(super) fn region(&self) -> &str {
        &self.account.region
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
        let answer = send(self.client().await).await;
        answer.map_err(|error| {
            let failed = failed(name, &error, secret);
            if let Some(pause) = failed.throttled() {
                self.budget.pause(pause);
            }
            failed
        })
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(|| connect(&self.account)).await
    }
}

/// Credentials by the SDK's default chain: environment, profile, web identity, container, instance.
async fn connect(account: &Account) -> Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(CALL).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(account.region.clone()))
        .timeout_config(timeouts)
        // The controller tries again, with a pause per object; two who do are in each other's way.
        .retry_config(RetryConfig::disabled());
    if let Ok(name) = AppName::new("hybrid-cloud-postgresql-operator") {
        loader = loader.app_name(name);
    }
    let shared = loader.load().await;
    let mut config = aws_sdk_rds::config::Builder::from(&shared);
    if let Some(role) = &account.role_arn {
        let provider = AssumeRoleProvider::builder(role)
            .session_name("hybrid-cloud-postgresql-operator")
            .configure(&shared);
        config = config.credentials_provider(provider.build().await);
    }
    if let Some(endpoint) = &account.endpoint_url {
        config = config.endpoint_url(endpoint);
    }
    Client::from_conf(config.build())
}
