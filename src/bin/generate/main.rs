//! Writes every generated file of the project, or with `--check` tells which ones are not as they would be written.
//!
//! A new kind of generated file is one more producer in [`artefact::artefacts`].

mod artefact;
mod configuration;
mod crds;
mod reasons;
mod sizes;
mod yaml;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Writes every generated file of the project.
#[derive(Parser)]
#[command(name = "generate")]
struct Arguments {
    /// Write nothing; name the files that are stale and exit with 1 if there are any.
    #[arg(long)]
    check: bool,
    /// Folder of the project.
    #[arg(long, default_value = env!("CARGO_MANIFEST_DIR"))]
    root: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(stale) if stale.is_empty() => ExitCode::SUCCESS,
        Ok(stale) => {
            eprintln!("These generated files are stale; run `make generate`:");
            for finding in stale {
                eprintln!("  {finding}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("generate: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is stale; nothing is, once it has been written.
fn run(arguments: &Arguments) -> Result<Vec<String>, Box<dyn Error>> {
    let artefacts = artefact::artefacts()?;
    if arguments.check {
        return Ok(artefact::stale(&arguments.root, &artefacts)?);
    }
    for path in artefact::write(&arguments.root, &artefacts)? {
        println!("{path}");
    }
    Ok(Vec::new())
}
