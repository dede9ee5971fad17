//! The parts of the suite, with the pages that tell of them.

use super::super::{check, suite};
use super::{Azure, Service, pages};

/// A life, judged by Azure's own contract; the judge is installed below `folder`.
pub async fn life<S: Service>(folder: &str) {
    let azure = Azure::<S>::new().await;
    suite::life(azure.clone()).await;
    azure.cloud.judge(folder);
}

/// Faults at the backend.
pub async fn faults<S: Service>() {
    let faults = suite::faults(Azure::<S>::new().await).await;
    let (file, page) = (format!("docs/faults-{}.md", S::PAGES), pages::backend(S::BACKEND));
    check(&file, &[(suite::BACKEND, &page, "fault · call")], &faults);
}

/// Faults on the wire, judged as [`life`].
pub async fn wire<S: Service>(folder: &str) {
    let azure = Azure::<S>::new().await;
    let wire = suite::wire(azure.clone()).await;
    azure.cloud.judge(folder);
    let (file, page) = (format!("docs/faults-{}-wire.md", S::PAGES), pages::wire(S::WORDS.1));
    check(&file, &[(suite::WIRE, &page, "fault · call of Azure")], &wire);
}

/// Misfortunes.
pub async fn states<S: Service>() {
    let states = suite::states(Azure::<S>::new().await, None).await;
    let (file, page) = (format!("docs/misfortunes-{}.md", S::PAGES), pages::states(S::WORDS.0));
    check(&file, &[(suite::STATES, &page, "what happens")], &states);
}

/// Kills between any two effects.
pub async fn kills<S: Service>() {
    suite::kills(Azure::<S>::new().await).await;
}
