//! The configuration in force: what passes begin with, and what happens when it changes.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use kube::Resource;
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::sync::watch;
use tokio::sync::watch::error::RecvError;

use super::context::Context;

/// Pause between two objects that are looked at because the configuration changed.
const EACH: Duration = Duration::from_millis(20);
/// After this long all have had their turn, however many they are.
const ROUND: Duration = Duration::from_secs(60);

/// The context of the configuration in force. A pass takes it once, at its beginning, so that it sees one configuration.
pub struct InForce(watch::Sender<Arc<Context>>);

impl InForce {
    /// Begins with this one.
    pub fn new(context: Context) -> Self {
        Self(watch::Sender::new(Arc::new(context)))
    }

    /// For a pass that begins now.
    pub fn now(&self) -> Arc<Context> {
        self.0.borrow().clone()
    }

    /// From now on passes begin with this one; those under way end with theirs.
    pub fn replace(&self, context: Context) {
        self.0.send_replace(Arc::new(context));
    }

    /// All of these objects, one after another, each time the context was replaced.
    pub fn afresh<K>(&self, objects: Store<K>) -> BoxStream<'static, ObjectRef<K>>
    where
        K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
    {
        rounds(self.0.subscribe(), move || {
            objects.state().iter().map(|one| ObjectRef::from_obj(&**one)).collect()
        })
    }
}

/// A round over all that there is then after each change; a change within a round begins a new one.
fn rounds<C, T>(
    changes: watch::Receiver<C>,
    all: impl Fn() -> Vec<T> + Send + 'static,
) -> BoxStream<'static, T>
where
    C: Send + Sync + 'static,
    T: Send + 'static,
{
    let round = (changes, Vec::new().into_iter(), Duration::ZERO);
    stream::try_unfold((round, all), |((mut changes, mut left, mut each), all)| async move {
        loop {
            tokio::select! {
                // An error means that nothing will change any more.
                changed = changes.changed() => {
                    changed?;
                    let begun = all();
                    each = pause(begun.len());
                    left = begun.into_iter();
                }
                () = tokio::time::sleep(each), if left.len() > 0 => {
                    return Ok::<_, RecvError>(left.next().map(|one| (one, ((changes, left, each), all))));
                }
            }
        }
    })
    .filter_map(async |turn| turn.ok())
    .boxed()
}

/// Pause between two of so many.
fn pause(objects: usize) -> Duration {
    EACH.min(ROUND / u32::try_from(objects).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_object_gets_its_turn_after_a_change_and_none_without() {
        let (change, changes) = watch::channel(0);
        let mut turns = rounds(changes, || vec![1, 2, 3]);
        let nothing = tokio::time::timeout(EACH * 5, turns.next());
        assert!(nothing.await.is_err(), "nothing has changed");
        let _ = change.send(1);
        assert_eq!([turns.next().await, turns.next().await], [Some(1), Some(2)]);
        let _ = change.send(2);
        let anew = [turns.next().await, turns.next().await, turns.next().await];
        assert_eq!(anew, [Some(1), Some(2), Some(3)], "a change within a round begins a new one");
        let nothing = tokio::time::timeout(EACH * 5, turns.next());
        assert!(nothing.await.is_err(), "the round is over");
        drop(change);
        assert_eq!(turns.next().await, None);
    }

    #[test]
    fn a_round_takes_its_time_and_ends_within_a_minute_however_many_there_are() {
        let round = |objects: usize| pause(objects).as_secs_f64() * objects as f64;
        assert!((round(10) - 0.2).abs() < 0.001, "{}", round(10));
        assert!((59.0..=60.0).contains(&round(100_000)), "{}", round(100_000));
        assert_eq!(round(0), 0.0);
    }
}
