//! One listing that all objects of an account and region, or of a resource group, share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::super::BackendError;

/// How long a listing that failed answers for those who wait beside each other.
const FAILURE: Duration = Duration::from_secs(1);

/// The last listing, by the name of what it lists.
#[derive(Debug)]
pub(in super::super) struct Listing<T>(Mutex<Option<Taken<T>>>);

#[derive(Debug)]
struct Taken<T> {
    begun: Instant,
    answer: Result<HashMap<String, Arc<T>>, BackendError>,
}

impl<T> Listing<T> {
    pub(in super::super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// What is listed under `name` in a listing that was begun at `since` or later; if there is none, one is taken, by
    /// one of all who ask. That nothing is listed does not say that nothing is there.
    pub(in super::super) async fn find(
        &self,
        name: &str,
        since: Instant,
        take: impl AsyncFnOnce() -> Result<HashMap<String, T>, BackendError>,
    ) -> Result<Option<Arc<T>>, BackendError> {
        let mut last = self.0.lock().await;
        let fits = last.as_ref().is_some_and(|taken| match &taken.answer {
            Ok(_) => taken.begun >= since,
            Err(_) => taken.begun.elapsed() < FAILURE,
        });
        if !fits {
            let begun = Instant::now();
            let answer = take().await;
            let answer =
                answer.map(|items| items.into_iter().map(|(name, item)| (name, Arc::new(item))).collect());
            *last = Some(Taken { begun, answer });
        }
        match last.as_ref().map(|taken| &taken.answer) {
            Some(Ok(items)) => Ok(items.get(name).cloned()),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    async fn find(
        listing: &Listing<u32>,
        name: &str,
        since: Instant,
        taken: &AtomicUsize,
    ) -> Result<Option<u32>, BackendError> {
        let take = async || {
            taken.fetch_add(1, Ordering::Relaxed);
            Ok(HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]))
        };
        listing.find(name, since, take).await.map(|found| found.map(|found| *found))
    }

    #[tokio::test]
    async fn many_ask_and_one_listing_is_taken() {
        let (listing, taken, since) = (Listing::new(), AtomicUsize::new(0), Instant::now());
        let asked = (0..100).map(|_| find(&listing, "a", since, &taken));
        let found = futures::future::join_all(asked).await;
        assert!(found.into_iter().all(|found| found.unwrap() == Some(1)));
        assert_eq!(taken.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_listing_from_before_a_write_does_not_answer_after_it() {
        let (listing, taken) = (Listing::new(), AtomicUsize::new(0));
        find(&listing, "a", Instant::now(), &taken).await.unwrap();
        assert_eq!(find(&listing, "c", Instant::now(), &taken).await.unwrap(), None);
        assert_eq!(taken.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_failure_is_not_asked_for_again_by_each_who_waits() {
        let (listing, since) = (Listing::<u32>::new(), Instant::now());
        let failing = async || Err(BackendError::transient("no answer"));
        assert!(listing.find("a", since, failing).await.is_err());
        assert!(find(&listing, "a", since, &AtomicUsize::new(0)).await.is_err());
    }
}
