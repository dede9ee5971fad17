//! Any bytes as the configuration file.
#![no_main]

use std::path::Path;

use hcpg::config::{Config, Finding, LoadError};
use hcpg_fuzz::config::{FILE, check_backends, check_places, check_refusal, check_rendering};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Other bytes never get this far: the file could not be read as text.
    let Ok(yaml) = std::str::from_utf8(data) else { return };
    match Config::parse(yaml, Path::new(FILE), std::iter::empty()) {
        Ok(loaded) => {
            assert!(!loaded.warnings.iter().any(Finding::is_error));
            check_backends(&loaded.config);
            check_places(&loaded.warnings, yaml, &[]);
            check_rendering(&loaded.config);
        }
        Err(LoadError::Invalid(findings)) => {
            check_refusal(&findings);
            check_places(&findings.0, yaml, &[]);
        }
        Err(error) => panic!("{error}"),
    }
});
