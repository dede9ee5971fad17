//! A server of a later major version takes the place of an older one, with what that holds.
//!
//! The programs for that (`pg_upgrade`, `pg_dump`) are not among those that are fetched. Hence the catalogue is asked,
//! which knows how to describe itself. What that cannot carry is refused, as the cloud's own check before an upgrade
//! does, and the old server goes on.

use futures::{SinkExt, TryStreamExt};

use super::error::Error;
use super::flavour::Parameters;
use super::server::Server;

/// What has to be there before databases.
const CLUSTER: &str = include_str!("carry/cluster.sql");
/// What stands in the way, in one database.
const REFUSED: &str = include_str!("carry/refused.sql");
/// Statements that make a database's content, before its rows.
const BEFORE: &str = include_str!("carry/before.sql");
/// The same, after its rows.
const AFTER: &str = include_str!("carry/after.sql");
/// The tables with rows.
const TABLES: &str = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = \
                      c.relnamespace WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> \
                      'information_schema' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = \
                      'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1";

struct Database {
    name: String,
    before: Vec<String>,
    rows: Vec<(String, Vec<u8>)>,
    after: Vec<String>,
}

/// Stops the server; at its addresses is, when this returns, one of the later major version that holds the same. If
/// that cannot be, the old one runs on, and an error says why.
pub async fn carry_over(old: &Server, major: u32, parameters: &Parameters) -> Result<Server, Error> {
    let owner = old.pool().flavour().owner;
    let cluster = statements(old, "postgres", &CLUSTER.replace("$OWNER", owner)).await?;
    let mut databases = Vec::new();
    for name in statements(old, "postgres", "SELECT datname FROM pg_database WHERE datallowconn").await? {
        let refused = statements(old, &name, REFUSED).await?;
        if !refused.is_empty() {
            return Err(Error::Sql(format!(
                "{name} holds what cannot be carried over: {}",
                refused.join(", ")
            )));
        }
        let mut rows = Vec::new();
        for table in statements(old, &name, TABLES).await? {
            rows.push((table.clone(), copy_out(old, &name, &table).await?));
        }
        let (before, after) = (statements(old, &name, BEFORE).await?, statements(old, &name, AFTER).await?);
        databases.push(Database { name, before, rows, after });
    }
    old.stop().await?;
    match load(old, major, parameters, &cluster, &databases).await {
        Ok(new) => Ok(new),
        Err(error) => {
            old.start().await?;
            Err(error)
        }
    }
}

async fn load(
    old: &Server,
    major: u32,
    parameters: &Parameters,
    cluster: &[String],
    databases: &[Database],
) -> Result<Server, Error> {
    let new = Server::bare(old.pool(), old.addresses(), &old.authority(), major, parameters).await?;
    for statement in cluster {
        new.sql("postgres", statement).await?;
    }
    for database in databases {
        for statement in &database.before {
            new.sql(&database.name, statement).await?;
        }
        for (table, rows) in &database.rows {
            copy_in(&new, &database.name, table, rows).await?;
        }
        for statement in &database.after {
            new.sql(&database.name, statement).await?;
        }
    }
    Ok(new)
}

/// The first column of the answer.
async fn statements(server: &Server, database: &str, query: &str) -> Result<Vec<String>, Error> {
    let rows = server.ask(database, query).await?;
    Ok(rows.into_iter().filter_map(|mut row| row.drain(..).next().flatten()).collect())
}

async fn copy_out(server: &Server, database: &str, table: &str) -> Result<Vec<u8>, Error> {
    let client = server.client(database).await?;
    let stream = client.copy_out(&format!("COPY {table} TO STDOUT")).await?;
    let parts: Vec<_> = stream.try_collect().await?;
    Ok(parts.concat())
}

async fn copy_in(server: &Server, database: &str, table: &str, rows: &[u8]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let client = server.client(database).await?;
    let sink = client.copy_in(&format!("COPY {table} FROM STDIN")).await?;
    let mut sink = std::pin::pin!(sink);
    sink.send(std::io::Cursor::new(rows.to_vec())).await?;
    sink.finish().await?;
    Ok(())
}
