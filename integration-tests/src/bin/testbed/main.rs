//! Brings up and takes down what demo and manual tests run against. `make help` lists the usual calls.
//!
//! `cluster-up` writes to stdout what shells evaluate, and everything for people to stderr.

mod bench;
mod cluster;
mod demo;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use integration_tests::operator::{CloudKind, KeptCloud};

/// As in the product, whose controllers `bench` measures in a process of this binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    DemoUp(demo::Demo),
    /// The same as cluster-down.
    DemoDown(cluster::Target),
    /// The simulated cloud of the demo.
    #[command(hide = true)]
    Cloud {
        /// Which.
        kind: CloudKind,
        /// Where it notes how to get to it.
        notes: PathBuf,
    },
    /// Measures what the operator costs with many objects, in throw-away control planes.
    Bench(bench::Plan),
    /// The operator that `bench` measures.
    #[command(hide = true)]
    BenchOperator(bench::Operator),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::ClusterUp(target) => cluster::up(&target).await,
        Command::ClusterDown(target) | Command::DemoDown(target) => demo::down(&target).await,
        Command::Run(target) => run::run(&target).await,
        Command::DemoUp(demo) => demo::up(&demo).await,
        Command::Cloud { kind, notes } => KeptCloud::run(kind, &notes).await,
        Command::Bench(plan) => bench::measure(&plan).await,
        Command::BenchOperator(operator) => bench::operate(operator).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::FAILURE
        }
    }
}
