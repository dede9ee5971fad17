//! The only room that knows all the others: observes, decides by the machines, acts, records.

mod actions;
mod backoff;
mod clients;
mod conditions;
mod context;
mod credentials;
mod database;
mod driver;
mod events;
mod failure;
mod finalizer;
mod metered;
mod pace;
mod record;
mod refusals;
mod requests;
mod run;
mod server;
mod settled;
mod subject;
mod surroundings;
mod watches;

pub use clients::Clients;
pub use metered::Metered;
pub use run::{Settings, run};
