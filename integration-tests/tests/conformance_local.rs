//! The conformance suite on the backend `local`, with real PostgreSQL servers.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use integration_tests::conformance::{Local, Subject, check, suite};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn life() {
    suite::life(Local::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults() {
    let faults = suite::faults(Local::new()).await;
    check(
        "docs/faults.md",
        &[(suite::BACKEND, BACKEND, "fault · call"), (suite::API, API, "answer · request")],
        &faults,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches() {
    let watches = suite::watches(Local::new()).await;
    check("docs/watches.md", &[(suite::WATCHES, WATCHES, "the watches are")], &watches);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states() {
    let small_disk = Local::on_a_small_disk();
    if small_disk.is_none() {
        println!("no file system may be mounted here, so no disk was filled; the table is not compared");
    }
    let complete = small_disk.is_some();
    let states = suite::states(Local::new(), small_disk.map(|disk| disk as Arc<dyn Subject>)).await;
    if complete {
        check("docs/misfortunes.md", &[(suite::STATES, STATES, "what happens")], &states);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql() {
    let sample = std::env::var_os("HCPG_WRITE_TABLES").is_none().then_some(SAMPLE);
    let faults = suite::sql(sample).await;
    check("docs/faults-sql.md", &[(suite::SQL, SQL, "fault · request")], &faults);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills() {
    suite::kills(Local::new()).await;
}

/// Of the servers that `make fault-tables` makes for the table of requests to PostgreSQL, only every so-manieth is made.
const SAMPLE: usize = 13;

const BACKEND: &str = "
# Every fault at every call

Each row is one fault at one call; each column is something a user asks for. One server with one database goes through
all columns and meets the fault in each, at the first call of its kind (twice, where a second failure costs no time).

* **ready**: the fault was met, and afterwards everything is Ready with what was asked for in force: exactly one server,
  which is the same one all the time and was made once, logins that work with the published Secrets, no password
  pending. A password that was to be reset is another one, and the one from before is refused; every other is what it
  was.
* **gone**: the fault was met, and afterwards nothing is left: no server, no role, no Secret, no pending password.
* ·: that call or request does not occur in that column. For calls this was seen at a server that went through the
  columns without faults; a request would have met the fault, whichever it is.

The faults stand between the operator and the backend `local`, which makes real PostgreSQL servers, and between the
operator and a real API server. Besides these rows four servers meet any of all faults at random, at a third of the
calls and a tenth of the requests. A request that has no row fails the test; events are left out, they decide nothing.

## The backend

A database asks nothing of the backend. Its server is looked at all the time, so it is looked at in these columns, too.

| fault | what happens |
|---|---|
| connection-reset | nothing is done, and the connection is gone |
| delay | it takes one and a half seconds longer |
| hang | nothing is done, and there is never an answer |
| hang-after | it is done, and there is never an answer |
| lost-answer | it is done, and the connection is gone |
| rejected | refused, as if an input had to change |
| server-error | a 500 |
| stale | answered as the time before; who is told that there is no server asks for it again, which makes no other one |
| throttled | refused, with a `Retry-After` of three seconds, before which nothing is asked again |

";

const API: &str = "
## The API server

Each request in passes over the object that the column is about meets the fault once. Nothing that is read can be in
conflict, and a read whose answer is lost is a read without an answer.

| request | for |
|---|---|
| databases-read | the list of databases, when a server is to go. There is one: the server stayed until that one was gone |
| namespace-read | the namespace |
| object-read, object-write | the PostgreSQLServer or PostgreSQLDatabase, its finalizers and labels |
| pending-read, pending-write | the password that is on its way, in the operator's namespace |
| secret-read, secret-write | the credentials Secret |
| server-read, server-secret-read | a database's server, and that server's credentials Secret |
| status-write | the status |

";

const STATES: &str = "
# What happens behind the operator's back

Each row happens to a server in every column, just when something is asked for.

* **ready**: it was put right without help: everything is Ready with what was asked for in force, on the same server,
  and only a reset has changed a password.
* **told**: it was told as a condition (`ServerLost`, `ServerReplaced`), and no call to the backend made or changed
  anything meanwhile; what a database asks of PostgreSQL itself is not counted. A lost server was begun anew after
  `operator/action: recreate`, and so was its database, both with other passwords; a replaced one was ready as soon as
  the old one stood there again.
* **gone**: nothing is left.
* **left**: the object is gone, and the server, which is another one now, was left alone.
* ·: it was not made to happen in that column.

A full disk: the servers stand on a small file system of their own, which is full from before the request until four
seconds after it. In the columns create, update and configure server and create database something was seen to fail for
want of room; the others may get by with the room that their files have.

";

const WATCHES: &str = "
# Watches that break off

The operator hears of changes by one watch per kind. In each column all of them break off just before something is asked
for; in the second row they are answered 410 when they want to go on, so that everything has to be listed anew.

* **ready**, **gone**: as in [faults.md](faults.md).

";

const SQL: &str = "
# Every fault at every request to PostgreSQL

Each row is one request of the operator to PostgreSQL and what it meets; each column is something a user asks for. What
is asked in a column is found by looking: servers go through all columns undisturbed. Then the first request of each name
meets each fault, and so does each request that changes something, and each right after one that does; the looks in
between are repetitions. One server with one database goes through all columns and meets one fault in each.

* **cut**: the connection is reset before the request reaches PostgreSQL.
* **lost**: PostgreSQL carries it out, its answer is thrown away, and the connection is reset.
* **hang**: it does not reach PostgreSQL, and there is never an answer: the operator gives it up by itself.

What came of it:

* **ready**: everything is Ready with what was asked for in force: logins that work with the published Secrets, no
  password pending, exactly one role and one database that belongs to it, and nothing else besides what the server came
  with. In a reset the password became another one and the old one is refused; in all other columns it stayed.
* **gone**: no role, no database, no Secret, no pending password; after *delete server* no server.
* ·: that request does not occur in that column.

The faults stand in a proxy before real PostgreSQL servers, which bears the server's own certificate and reads what is
asked. A login is one request, however many messages it takes; `inside` is the administrator's login to the database of
the object, all others of it are to the server's maintenance database. What the backend `local` itself does on a server,
such as setting the administrator's password, does not go there over the network; it meets the faults of
[faults.md](faults.md).

";
