//! The only room that knows all the others: observes, decides by the machines, acts, records.

mod actions;
mod attempts;
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
mod force;
mod logins;
mod metered;
mod news;
mod pace;
mod record;
mod refusals;
mod reload;
mod requests;
mod run;
mod scope;
mod server;
mod settled;
mod subject;
mod surroundings;
mod takeover;
mod turns;
mod wake;
mod watches;
mod whereabouts;

pub use clients::Clients;
pub use metered::Metered;
pub use run::{Settings, run, wait_for_kinds};
