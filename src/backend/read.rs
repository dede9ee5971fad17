//! How fresh an answer about a server must be, and who waits for it.

use std::time::Duration;

/// How a server is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// An answer that many objects share may do: a listing of all servers of an account. It confirms presence only;
    /// what is not in it is looked for by a read of its own.
    Shared {
        /// How old the answer may be. What this process has written since counts all the same.
        at_most: Duration,
    },
    /// An answer of the service itself, about this server, begun now. Whatever an effect follows from, and absence above
    /// all, is read like this.
    Direct(Urgency),
}

/// Whose calls go first where a service takes only so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits for it: a change that was asked for, and the reads that it needs.
    User,
    /// A look that nobody asked for.
    Resync,
}
