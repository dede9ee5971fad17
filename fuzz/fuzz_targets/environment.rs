//! Names and values of overrides, as in `/proc/self/environ`, over a file that is good.
#![no_main]

use std::collections::BTreeMap;
use std::path::Path;

use hcpg::config::{Config, Finding, LoadError, Loaded};
use hcpg_fuzz::config::{FILE, check_backends, check_places, check_refusal};
use libfuzzer_sys::fuzz_target;

const GOOD: &str = "\
backend: local
allowed_backends: [local]
backends:
  local:
    data_dir: /var/lib/hcpg
    port_first: 50000
  awsrds: {region: eu-central-1, subnet_group: s, tags: {a: b}}
security: {password_length: 20}
reconcile:
  resync_seconds: 60
";
const PREFIX: &str = "HYBRIDCLOUD_";

fn parse(variables: &[(String, String)]) -> Result<Loaded, LoadError> {
    Config::parse(GOOD, Path::new(FILE), variables.iter().cloned())
}

fuzz_target!(|data: &[u8]| {
    // A process has each name once.
    let variables: BTreeMap<String, String> = hcpg_fuzz::parts(data)
        .filter_map(|part| part.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    let variables: Vec<(String, String)> = variables.into_iter().collect();
    let said = parse(&variables);
    match &said {
        Ok(loaded) => {
            assert!(!loaded.warnings.iter().any(Finding::is_error));
            check_backends(&loaded.config);
            check_places(&loaded.warnings, GOOD, &variables);
        }
        Err(LoadError::Invalid(findings)) => {
            check_refusal(findings);
            check_places(&findings.0, GOOD, &variables);
            assert!(
                variables.iter().any(|(name, _)| name.starts_with(PREFIX)),
                "the file is good: {findings}"
            );
        }
        Err(error) => panic!("{error}"),
    }
    // What does not bear our prefix means nothing to us, and the order means nothing at all.
    let mut ours: Vec<_> = variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    ours.reverse();
    assert_eq!(said.map_err(|error| error.to_string()), parse(&ours).map_err(|error| error.to_string()));
});
