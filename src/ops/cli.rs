//! The command line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use super::LogFormat;
use crate::config::{self, Config, Environment, Finding, LoadError};

/// Kubernetes operator for PostgreSQL servers and databases on Azure, AWS, Helm charts or a local PostgreSQL.
#[derive(Clone, Debug, PartialEq, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `run` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `run`, for when it is not said.
    #[command(flatten)]
    pub run: RunOptions,
}

impl Cli {
    /// What to do.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Run(self.run))
    }
}

/// What the binary can do.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Run the operator (the default)
    Run(RunOptions),
    /// Check a configuration file, together with the HYBRIDCLOUD_* variables
    ///
    /// Exits with 0 if the operator would start with it, 1 if it is wrong, 2 if it cannot be read. With --explain: 0 if
    /// there is such a key, 1 if not, 2 if the file was named and cannot be read.
    CheckConfig {
        /// The configuration file [default: OPERATOR_CONFIG, else config.yaml]
        file: Option<PathBuf>,
        /// Tell what a key is for, which variable sets it, and where it is set now, for example security.password_length
        #[arg(long, value_name = "KEY")]
        explain: Option<String>,
    },
    /// Print the CustomResourceDefinitions as YAML
    Crds,
    /// Print the version
    Version,
}

/// Options of `run`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct RunOptions {
    /// Configuration file [default: OPERATOR_CONFIG, else config.yaml]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where probes and metrics are served
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8080")]
    pub http_address: SocketAddr,
    /// How log lines look
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub log_format: LogFormat,
}

/// What a command has to say, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For the standard output.
    pub text: String,
    /// The exit code.
    pub code: u8,
}

impl From<&Report> for ExitCode {
    fn from(report: &Report) -> Self {
        report.code.into()
    }
}

/// Checks a configuration file.
pub fn check_config(file: &Path, variables: impl Iterator<Item = (String, String)>) -> Report {
    match Config::load(file, variables) {
        Ok(loaded) => {
            let config = &loaded.config;
            let summary = format!("default backend {}, {}", config.backend, counted(&loaded.warnings));
            Report {
                text: lines(&loaded.warnings, &format!("{} can be used: {summary}", file.display())),
                code: 0,
            }
        }
        Err(LoadError::Invalid(findings)) => {
            let summary = format!("{} cannot be used: {}", file.display(), counted(&findings.0));
            Report { text: lines(&findings.0, &summary), code: 1 }
        }
        Err(error @ LoadError::Unreadable { .. }) => Report { text: format!("{error}\n"), code: 2 },
    }
}

/// Tells what a key is for. Without a file, and without the one that `run` would take, nothing is set but by variables.
pub fn explain(key: &str, file: Option<&Path>, variables: &[(String, String)]) -> Report {
    let usual = Environment::from_variables(variables.iter().cloned()).config_path;
    let path = file.unwrap_or(&usual);
    let yaml = match std::fs::read_to_string(path) {
        Ok(yaml) => Some(yaml),
        Err(error) if file.is_some() => {
            return Report { text: format!("cannot read {}: {error}\n", path.display()), code: 2 };
        }
        Err(_) => None,
    };
    let yaml = yaml.as_deref().map(|yaml| (yaml, path));
    match config::explain(key, yaml, variables.iter().cloned()) {
        Ok(text) => Report { text, code: 0 },
        Err(error) => Report { text: format!("{error}\n"), code: 1 },
    }
}

fn lines(findings: &[Finding], summary: &str) -> String {
    let label = |finding: &Finding| if finding.is_error() { "error" } else { "warning" };
    let findings = findings.iter().map(|finding| format!("{}: {finding}\n", label(finding)));
    findings.chain([format!("{summary}\n")]).collect()
}

fn counted(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", plural(errors, "error"), plural(findings.len() - errors, "warning"))
}

/// Name and version.
pub fn version() -> String {
    format!("{} {}\n", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

/// Both CustomResourceDefinitions as one YAML stream.
pub fn crds() -> Result<String, serde_saphyr::SerializeError> {
    serde_saphyr::to_string_multiple(&crate::api::crds())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Command {
        Cli::try_parse_from([&["operator"], arguments].concat()).unwrap().into_command()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn run_is_the_default_and_takes_its_options_either_way() {
        let Command::Run(options) = parse(&[]) else { unreachable!() };
        assert_eq!(options.http_address, "0.0.0.0:8080".parse().unwrap());
        assert_eq!((options.config, options.log_format), (None, LogFormat::Auto));
        let flags = ["--config", "c.yaml", "--http-address", "[::1]:9", "--log-format", "json"];
        let Command::Run(options) = parse(&flags) else { unreachable!() };
        assert_eq!(options.config.as_deref(), Some(Path::new("c.yaml")));
        assert_eq!(options.log_format, LogFormat::Json);
        assert_eq!(parse(&[&["run"], &flags[..]].concat()), Command::Run(options));
        assert_eq!(parse(&["version"]), Command::Version);
        let file = Some("f".into());
        assert_eq!(parse(&["check-config", "f"]), Command::CheckConfig { file, explain: None });
        let explain = Some("mode".to_owned());
        assert_eq!(
            parse(&["check-config", "--explain", "mode"]),
            Command::CheckConfig { file: None, explain }
        );
    }

    fn checked(yaml: &str) -> Report {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(yaml.as_bytes()).unwrap();
        let report = check_config(file.path(), std::iter::empty());
        Report { text: report.text.replace(&file.path().display().to_string(), "c.yaml"), ..report }
    }

    #[test]
    fn a_configuration_is_judged_by_exit_code_and_summary() {
        let good = checked("backend: local\nextra: 1\nbackends:\n  local:\n    data_dir: /data\n");
        assert_eq!(good.code, 0);
        assert!(good.text.starts_with("warning: c.yaml:2:1: extra: found an unknown key"), "{}", good.text);
        assert!(
            good.text.ends_with("c.yaml can be used: default backend local, 0 errors, 1 warning\n"),
            "{}",
            good.text
        );
        let bad = checked("backend: nowhere\n");
        assert_eq!(bad.code, 1);
        assert!(bad.text.starts_with("error: c.yaml:1:10: backend: found \"nowhere\""), "{}", bad.text);
        assert!(bad.text.ends_with("c.yaml cannot be used: 1 error, 0 warnings\n"), "{}", bad.text);
        let missing = check_config(Path::new("/nowhere/c.yaml"), std::iter::empty());
        assert_eq!(missing.code, 2);
        assert!(missing.text.contains("/nowhere/c.yaml"), "{}", missing.text);
    }

    fn explained(key: &str, yaml: &str, variables: &[(&str, &str)]) -> Report {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(yaml.as_bytes()).unwrap();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let report = explain(key, Some(file.path()), &variables);
        Report { text: report.text.replace(&file.path().display().to_string(), "c.yaml"), ..report }
    }

    #[test]
    fn a_key_is_explained_with_where_it_is_set_and_to_what() {
        let yaml = "backend: local\nbackends:\n  aws: {endpoint: 'https://me:pw@rds.local/'}\n  awsrds: {}\n";
        let set = explained("backends.awsrds.endpoint", yaml, &[]);
        assert_eq!(set.code, 0);
        assert_eq!(
            set.text,
            "backends.awsrds.endpoint
  meaning   Address of the RDS service, for example of a VPC endpoint. Default: the region's public one.
  value     a text
  default   –
  variable  HYBRIDCLOUD_BACKENDS_AWSRDS_ENDPOINT
  shared    backends.aws.endpoint counts where this is not set
  now       \"https://***@rds.local/\", set in c.yaml:3:19 as backends.aws.endpoint
"
        );
        let variable = [("HYBRIDCLOUD_SECURITY_PASSWORD_LENGTH", "24")];
        let set = explained("security.password_length", yaml, &variable);
        assert!(
            set.text.contains("  value     a whole number from 8 to 128\n  default   16\n"),
            "{}",
            set.text
        );
        assert!(
            set.text.ends_with("  now       24, set in HYBRIDCLOUD_SECURITY_PASSWORD_LENGTH\n"),
            "{}",
            set.text
        );
        let free = explained("backends.awsrds.classes.big.instance_type", yaml, &[]);
        assert!(
            free.text.contains("HYBRIDCLOUD_BACKENDS_AWSRDS_CLASSES_BIG_INSTANCE_TYPE\n"),
            "{}",
            free.text
        );
        assert!(free.text.ends_with("  now       not set\n"), "{}", free.text);
    }

    #[test]
    fn a_key_that_there_is_not_is_no_success() {
        let wrong = explained("security.pasword_length", "backend: local\n", &[]);
        assert_eq!(wrong.code, 1);
        assert!(wrong.text.contains("(did you mean security.password_length?)"), "{}", wrong.text);
        let short = explained("password_length", "backend: local\n", &[]);
        assert!(short.text.contains("(did you mean security.password_length?)"), "{}", short.text);
        let missing = explain("mode", Some(Path::new("/nowhere/c.yaml")), &[]);
        assert_eq!(missing.code, 2);
        assert!(missing.text.contains("/nowhere/c.yaml"), "{}", missing.text);
    }

    #[test]
    fn both_definitions_are_printed() {
        let text = crds().unwrap();
        assert_eq!(text.matches("kind: CustomResourceDefinition").count(), 2);
        assert_eq!(text.matches("\n---\n").count(), 1);
        assert!(text.contains("name: postgresqlservers.hybridcloud.maibornwolff.de"));
    }
}
