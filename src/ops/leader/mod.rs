//! Which of several operators acts: the one that holds the Lease.
//!
//! The times of others' clocks are never compared with ours: a lease of somebody else is over when it has not changed for
//! its whole duration on our own clock. The holder stops earlier than that, counted from before its last renewal was
//! sent; every effect asks [`crate::fence`].

mod lease;

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::timeout;
use tracing::{info, warn};

use super::{Metrics, Pulse, Readiness};
use crate::api::names::FIELD_MANAGER;
use crate::fence::{self, Moment};
use lease::Rival;

/// The longest pause of an instance that waits: a lease that was given back is taken up this soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a lease is valid, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub struct LeaseTimes {
    lease: Duration,
}

impl LeaseTimes {
    /// For a lease of that many seconds.
    pub fn new(lease_seconds: u64) -> Self {
        Self { lease: Duration::from_secs(lease_seconds) }
    }

    /// After a renewal was sent the holder acts this long. The third that is left is for what was sent just before.
    fn acting(self) -> Duration {
        self.lease * 2 / 3
    }

    /// Three attempts to renew fit into the time the holder acts.
    fn renewing(self) -> Duration {
        self.lease / 5
    }

    /// How long one answer is waited for.
    fn answering(self) -> Duration {
        self.lease / 3
    }

    fn looking(self) -> Duration {
        self.renewing().min(LONGEST_PAUSE)
    }
}

/// How the right to act ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// It could not be renewed in time.
    #[error("the lease was not renewed in time")]
    Expired,
    /// Somebody else has it.
    #[error("the lease is held by {0:?}")]
    Taken(String),
    /// Somebody has deleted or emptied it.
    #[error("the lease was deleted or emptied")]
    Gone,
}

/// Why an instance does not act.
enum Rest {
    /// This one holds the lease.
    Held(String),
    /// Somebody has deleted or emptied the lease of a holder who may not know it yet.
    Orphaned,
}

/// This instance's part in the election.
pub struct Election {
    api: Api<Lease>,
    holder: String,
    times: LeaseTimes,
    metrics: Metrics,
    pulse: Pulse,
    rival: Rival,
    /// As it was last written, while it is ours.
    held: Lease,
    until: Moment,
}

impl Election {
    /// Takes part as `holder`, which no other living process may be called. From now on nothing may be done by this
    /// process until [`Election::win`] returns.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn new(
        mut config: kube::Config,
        namespace: &str,
        holder: String,
        times: LeaseTimes,
        metrics: Metrics,
        pulse: Pulse,
    ) -> Result<Self, kube::Error> {
        fence::shut();
        metrics.set_leader(false);
        // Attempts are counted here.
        config.default_retry = false;
        let api = Api::namespaced(Client::try_from(config)?, namespace);
        let (rival, held, until) = (Rival::default(), Lease::default(), Moment::now());
        Ok(Self { api, holder, times, metrics, pulse, rival, held, until })
    }

    /// Waits until this instance holds the lease: at once where it is free. An instance that waits is ready.
    pub async fn win(&mut self, readiness: &Readiness) {
        let mut told = None;
        loop {
            self.pulse.tick();
            let news = match timeout(self.times.answering(), self.take()).await {
                Ok(Ok(None)) => break,
                Ok(Ok(Some(rest))) => {
                    readiness.set_ready();
                    match rest {
                        Rest::Held(holder) => format!("standing by while {holder:?} leads"),
                        Rest::Orphaned => {
                            "standing by: the lease was deleted or emptied, and its holder may act still"
                                .to_owned()
                        }
                    }
                }
                Ok(Err(error)) => {
                    // The message of the API server, for instance that the right is missing.
                    let reason = format!("the lease cannot be had: {error}");
                    readiness.set_not_ready(reason.clone());
                    reason
                }
                Err(_) => "the API server does not answer".to_owned(),
            };
            if told.as_ref() != Some(&news) {
                info!("{news}");
                told = Some(news);
            }
            tokio::time::sleep(self.times.looking()).await;
        }
        self.metrics.set_leader(true);
        info!(holder = self.holder, "leading");
    }

    /// Renews the lease as long as it can; returns when this instance must not act any more.
    pub async fn keep(&mut self) -> Lost {
        let lost = loop {
            tokio::time::sleep(self.times.renewing().min(self.until.left())).await;
            self.pulse.tick();
            if !fence::is_open() {
                break Lost::Expired;
            }
            match timeout(self.times.answering().min(self.until.left()), self.renew()).await {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(lost))) => break lost,
                Ok(Err(error)) => warn!("the lease was not renewed: {error}"),
                Err(_) => warn!("the lease was not renewed: the API server does not answer"),
            }
        };
        fence::shut();
        self.metrics.set_leader(false);
        lost
    }

    /// Gives the lease back, so that the next instance need not wait. Only when nothing is under way any more. An answer
    /// is waited for that long at most.
    pub async fn release(mut self, at_most: Duration) {
        fence::shut();
        self.metrics.set_leader(false);
        lease::free(&mut self.held);
        match timeout(self.times.answering().min(at_most), self.replace(&self.held)).await {
            Ok(Ok(_)) => info!("the lease is given back"),
            Ok(Err(error)) => warn!("the lease is not given back, it runs out by itself: {error}"),
            Err(_) => warn!("the lease is not given back, it runs out by itself"),
        }
        self.pulse.finish();
    }

    /// One attempt to get the lease; the answer is why this instance does not have it.
    async fn take(&mut self) -> Result<Option<Rest>, kube::Error> {
        let Some(mut found) = self.api.get_opt(FIELD_MANAGER).await? else {
            if !self.rival.would_be_over(Moment::now()) {
                return Ok(Some(Rest::Orphaned));
            }
            let mut new = Lease::default();
            new.metadata.name = Some(FIELD_MANAGER.to_owned());
            lease::take(&mut new, &self.holder, self.times.lease);
            let asked = Moment::now();
            let answer = self.api.create(&PostParams::default(), &new).await;
            return self.taken(answer, asked);
        };
        let holder = lease::holder(&found).cloned();
        if holder.as_ref() != Some(&self.holder)
            && !lease::is_free(&found)
            && !self.rival.is_over(&found, self.times.lease, Moment::now())
        {
            return Ok(Some(holder.map_or(Rest::Orphaned, Rest::Held)));
        }
        lease::take(&mut found, &self.holder, self.times.lease);
        let asked = Moment::now();
        let answer = self.replace(&found).await;
        self.taken(answer, asked)
    }

    fn taken(
        &mut self,
        answer: Result<Lease, kube::Error>,
        asked: Moment,
    ) -> Result<Option<Rest>, kube::Error> {
        match answer {
            Ok(written) => {
                self.hold(written, asked);
                Ok(None)
            }
            Err(error) if is_conflict(&error) => Ok(Some(Rest::Held("another instance".to_owned()))),
            Err(error) => Err(error),
        }
    }

    /// One renewal; the answer is how the lease was lost, if it was.
    async fn renew(&mut self) -> Result<Option<Lost>, kube::Error> {
        let mut renewed = self.held.clone();
        lease::renew(&mut renewed, self.times.lease);
        let asked = Moment::now();
        match self.replace(&renewed).await {
            Ok(written) => {
                self.hold(written, asked);
                Ok(None)
            }
            // Our own write whose answer was lost, somebody's label, or another holder.
            Err(error) if is_conflict(&error) => {
                let Some(found) = self.api.get_opt(FIELD_MANAGER).await? else { return Ok(Some(Lost::Gone)) };
                match lease::holder(&found) {
                    Some(holder) if *holder != self.holder => Ok(Some(Lost::Taken(holder.clone()))),
                    Some(_) => {
                        self.held = found;
                        Ok(None)
                    }
                    None => Ok(Some(Lost::Gone)),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// From before it was asked for: others count from after it was written.
    fn hold(&mut self, written: Lease, asked: Moment) {
        self.held = written;
        self.until = asked.after(self.times.acting());
        fence::open_until(self.until);
    }

    /// Fails if anybody wrote since it was read.
    async fn replace(&self, lease: &Lease) -> Result<Lease, kube::Error> {
        self.api.replace(FIELD_MANAGER, &PostParams::default(), lease).await
    }
}

/// Written by somebody else since, or deleted: 404 with a version is the same.
fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_stops_before_others_begin_and_has_three_attempts() {
        for seconds in [3, 15, 300] {
            let times = LeaseTimes::new(seconds);
            assert!(times.acting() < times.lease);
            assert!(times.renewing() * 3 <= times.acting());
            assert!(times.answering() < times.acting());
            assert!(times.looking() <= LONGEST_PAUSE);
        }
    }
}
