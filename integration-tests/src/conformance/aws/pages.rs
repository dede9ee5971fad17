//! What stands above the tables of both services.

/// Above the table of faults at the backend.
pub fn backend(name: &str, service: &str) -> String {
    format!(
        "
# Every fault at every call of the backend `{name}`

As [faults.md](faults.md), with a simulated {service} and the real PostgreSQL servers behind it in place of the backend `local`.
The faults stand between the operator and the backend.

"
    )
}

/// Above the table of faults on the wire.
pub fn wire(service: &str) -> String {
    format!(
        "
# Every fault on the wire to {service}

Each row is one fault at one call to AWS; each column is something a user asks for. One server with one database goes
through all columns and meets the fault at every call that the column is sure to make, the first time each.

* **ready**: the fault was met, and afterwards everything is Ready with what was asked for in force: exactly one server,
  the same one all the time, logins that work with the published Secrets, no password pending. A password that was to
  be reset is another one, and the one from before is refused; every other is what it was.
* **gone**: the fault was met, and afterwards nothing is left but the final snapshot.
* ·: the column is not sure to make that call, which met no fault there.

"
    )
}

/// Above the table of misfortunes of `what`, with `more` to say.
pub fn states(what: &str, service: &str, more: &str) -> String {
    format!(
        "
# What happens to {what} on {service} behind the operator's back

As [misfortunes.md](misfortunes.md), with a simulated {service}. PostgreSQL that is killed is started again by {service} itself.{more}

"
    )
}
