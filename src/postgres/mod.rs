//! Every connection and every SQL statement of the operator.
//!
//! Three rules hold for the whole module:
//!
//! * **Nothing that is not ours is changed.** Every writing function looks at the marks ([`Existence`]) itself, right
//!   before it writes, and answers [`SqlError::NotOurs`] instead of touching somebody else's role or database.
//! * **The administrator need not be a superuser.** `CREATEDB` and `CREATEROLE` are enough, under the role rules of
//!   PostgreSQL 12 to 18 (16 changed them); managed services offer no more than that.
//! * **A password never becomes text that somebody else can read.** It travels as a SCRAM verifier computed here, in
//!   clear text only to a server that refuses verifiers and only over verified TLS; error texts carry only the server's
//!   code and primary message.

mod configure;
mod database;
mod drop;
mod endpoint;
mod error;
mod login;
mod names;
mod observe;
mod ownership;
mod password;
mod server;
mod session;
#[cfg(not(fuzzing))]
mod statements;
/// Open to the fuzz targets only.
#[cfg(fuzzing)]
pub mod statements;

#[cfg(test)]
mod tests;

pub use configure::configure_database;
pub use database::{DatabaseSpec, create_database};
pub use drop::{drop_database, drop_role};
pub use endpoint::{Endpoint, Login, Timeouts, TlsMode};
pub use error::{SqlError, SqlErrorKind};
pub use names::{
    DatabaseNames, NameError, database_name_for, original_database_name_for, taken_over_name_for,
};
pub use observe::{DatabaseState, observe};
pub use ownership::{Adoption, Existence};
pub use password::{PasswordForm, create_role, ensure_admin_role, set_admin_password, set_role_password};
pub use server::{ServerFacts, server_facts};
pub use session::{Session, takes_connections, verify_login};
