//! In whose pass a request to the API server is made.
//!
//! The operator says it in a span around each pass, and its client hands every request on along with the span in which
//! it was made.

use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Span, Subscriber};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// The plural of the kind of servers.
pub const SERVERS: &str = "postgresqlservers";
/// The plural of the kind of databases.
pub const DATABASES: &str = "postgresqldatabases";

/// Whose requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asker {
    /// The namespace of the object.
    pub namespace: String,
    /// The plural of its kind.
    pub kind: &'static str,
}

/// Begins to take note of passes; with `RUST_LOG` set the operator's log goes to stderr.
pub(super) fn listen() {
    let passes = filter_fn(|metadata| metadata.is_span() && metadata.name() == "reconcile");
    let passes = Passes.with_filter(passes.with_max_level_hint(LevelFilter::INFO));
    let asked = EnvFilter::try_from_default_env().ok();
    let log = asked.map(|filter| fmt::layer().with_writer(std::io::stderr).with_filter(filter));
    // An error means that another test of this process has begun already.
    let _ = tracing_subscriber::registry().with(passes).with(log).try_init();
}

/// In whose pass this is asked; none outside of passes.
pub(super) fn current() -> Option<Asker> {
    let found = Span::current().with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        #[expect(
            clippy::let_and_return,
            reason = "the extensions are borrowed until the end of the statement"
        )]
        span.scope().find_map(|span| {
            let found = span.extensions().get::<Asker>().cloned();
            found
        })
    });
    found.flatten()
}

/// Writes down whose each pass is.
struct Passes;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Passes {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut words = Words::default();
        attributes.record(&mut words);
        if let (Some(kind), Some(span)) = (words.kind, context.span(id)) {
            span.extensions_mut().insert(Asker { namespace: words.namespace, kind });
        }
    }
}

/// What the operator says of a pass.
#[derive(Default)]
struct Words {
    namespace: String,
    kind: Option<&'static str>,
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        match (field.name(), value) {
            ("namespace", namespace) => namespace.clone_into(&mut self.namespace),
            ("kind", "server") => self.kind = Some(SERVERS),
            ("kind", "database") => self.kind = Some(DATABASES),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
