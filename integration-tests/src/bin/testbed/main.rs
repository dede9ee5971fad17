//! Brings up and takes down what demo and manual tests run against. `make help` lists the usual calls.
//!
//! `cluster-up` writes to stdout what shells evaluate, and everything for people to stderr.

mod cluster;
mod demo;
mod footprint;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What is told to the user when something cannot be done.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Brings up and takes down what demo and manual tests run against.
#[derive(Parser)]
#[command(name = "testbed")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the control plane unless it is running, and prints `export KUBECONFIG=…`.
    ClusterUp(cluster::Target),
    /// Takes down control plane, operator, PostgreSQL servers and their data; the binaries stay in the cache.
    ClusterDown(cluster::Target),
    /// Runs the operator in the foreground.
    Run(cluster::Target),
    /// Shows the operator at work from end to end.
    DemoUp(cluster::Target),
    /// The same as cluster-down.
    DemoDown(cluster::Target),
    /// Measures the operator's memory and its requests while nothing happens, in a throw-away control plane.
    Footprint(footprint::Load),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::ClusterUp(target) => cluster::up(&target).await,
        Command::ClusterDown(target) | Command::DemoDown(target) => demo::down(&target).await,
        Command::Run(target) => run::run(&target).await,
        Command::DemoUp(target) => demo::up(&target).await,
        Command::Footprint(load) => {
            footprint::measure(&load).await;
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::FAILURE
        }
    }
}
