//! What the documentation says is what the code says.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod pages;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use hcpg::api::{ConditionType, Phase, PostgreSQLDatabase, PostgreSQLServer, crds, names};
use hcpg::config::Config;
use hcpg::ops::Metrics;
use hcpg::secrets::{ConnectionFacts, Password};
use integration_tests::operator::project_file;
use pages::{page, pages};
use serde_json::Value;
use strum::IntoEnumIterator;

#[test]
fn the_diagram_is_the_generated_one() {
    let readme = page("README.md");
    let (_, rest) = readme.text.split_once("<!-- generated: ").expect("a generated part");
    let (path, rest) = rest.split_once(" -->\n").expect("its source");
    let (shown, _) = rest.split_once("<!-- end -->").expect("its end");
    let shown =
        shown.strip_prefix("```mermaid\n").and_then(|text| text.strip_suffix("```\n")).expect("a block");
    assert_eq!(shown, fs::read_to_string(project_file(path)).unwrap(), "copy {path} into README.md");
}

#[test]
fn nothing_is_left_to_be_filled_in() {
    for page in pages() {
        for mark in ["@@", "TODO", "FIXME"] {
            assert!(!page.text.contains(mark), "{}: {mark}", page.path);
        }
    }
}

#[test]
fn every_target_of_make_exists_and_is_told_of() {
    let makefile = fs::read_to_string(project_file("Makefile")).unwrap();
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| line.contains(": ") || line.ends_with(':'))
        .filter_map(|line| line.split_once(':'))
        .map(|(target, _)| target)
        .filter(|target| !target.is_empty() && target.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .collect();
    assert!(targets.contains("demo"), "{targets:?}");
    for page in pages() {
        let blocks = page.blocks().into_iter().filter(|block| block.language == "sh").map(|block| block.text);
        let commands: Vec<String> = page.spans().into_iter().chain(blocks).collect();
        for line in commands.iter().flat_map(|text| text.lines()) {
            let Some(rest) = line.trim().strip_prefix("make ") else { continue };
            let target = rest.split_whitespace().next().unwrap_or_default();
            assert!(targets.contains(target), "{}: make {target} does not exist", page.path);
        }
    }
    let readme = page("README.md");
    for target in targets {
        assert!(
            readme.text.contains(&format!("`make {target}`")),
            "README.md does not tell of make {target}"
        );
    }
}

#[test]
fn every_path_exists() {
    let root: BTreeSet<String> = fs::read_dir(project_file(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "target")
        .collect();
    let is_of_ours = |word: &str| {
        let (first, rest) = word.split_once('/').unwrap_or((word, ""));
        let is_file = Path::new(word)
            .extension()
            .is_some_and(|end| ["rs", "md", "yaml", "sh", "mmd", "toml"].iter().any(|known| end == *known));
        root.contains(first) || (is_file && !rest.is_empty() && !word.starts_with(['/', '~']))
    };
    for page in pages() {
        let blocks = page.blocks().into_iter().filter(|block| block.language == "sh").map(|block| block.text);
        let in_shell = blocks.collect::<String>();
        let words = in_shell.split_whitespace().filter(|word| word.contains('/')).map(str::to_owned);
        for word in page.spans().into_iter().filter(|span| !span.contains(' ')).chain(words) {
            // `make`, `cargo` and such are no paths, and neither are results of a build or of fuzzing.
            let results = ["target/", "fuzz/target", "fuzz/corpus", "fuzz/artifacts"];
            if is_of_ours(&word) && !results.iter().any(|result| word.starts_with(result)) {
                assert!(project_file(&word).exists(), "{}: {word} does not exist", page.path);
            }
        }
        for link in page.links() {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { project_file(&page.path) } else { page.resolve(path) };
            assert!(target.exists(), "{}: the link {link} leads nowhere", page.path);
            if !anchor.is_empty() {
                let target = target.strip_prefix(project_file("")).unwrap().to_str().unwrap().to_owned();
                let anchors = pages::page(&target).anchors();
                assert!(anchors.iter().any(|one| one == anchor), "{}: {link}: {anchors:?}", page.path);
            }
        }
    }
}

#[test]
fn the_keys_of_the_secret() {
    let facts = ConnectionFacts {
        username: "user".to_owned(),
        dbname: "database".to_owned(),
        host: "host".to_owned(),
        port: 5432,
        sslmode: "require".to_owned(),
        provider: "local".to_owned(),
        ca_pem: Some("PEM".to_owned()),
    };
    let told: BTreeSet<String> = page("README.md").first_column("## The Secret").into_iter().collect();
    let written: BTreeSet<String> = facts.data(&Password::new("secret")).into_keys().collect();
    assert_eq!(told, written);
}

#[test]
fn the_metrics_and_their_labels() {
    let metrics = Metrics::new().unwrap();
    metrics.transition("server", "Pending", "Provisioning", "Absent");
    metrics.phase_left("server", "Pending", 0.1);
    metrics.reconcile("server", "settled", 0.1);
    metrics.action("server", "CreateServer", "ok", 0.1);
    metrics.backend_request("local", "observe", "ok");
    metrics.set_objects([["server", "Ready", "local"]].into_iter());
    let text = metrics.gather().unwrap();
    let mut served: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("hcpg_")) {
        let series = line.rsplit_once(' ').unwrap().0;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let labels = labels.split(',').filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
        let all = served.entry(family.unwrap_or(name).to_owned()).or_default();
        all.extend(labels.filter(|label| label != "le"));
    }
    let told: BTreeMap<String, BTreeSet<String>> = page("README.md")
        .table("## Metrics")
        .iter()
        .map(|row| {
            let labels = row[1].split(", ").filter(|label| !label.is_empty());
            let labels = labels.map(|label| label.trim_matches('`').to_owned());
            (row[0].trim_matches('`').to_owned(), labels.collect())
        })
        .collect();
    assert_eq!(told, served);
}

#[test]
fn the_fields_of_both_kinds() {
    let readme = page("README.md");
    for crd in crds() {
        let kind = crd.spec.names.kind.clone();
        let schema = serde_json::to_value(&crd.spec.versions[0].schema).unwrap();
        let mut fields = BTreeSet::new();
        leaves(&schema["openAPIV3Schema"]["properties"]["spec"], "", &mut fields);
        let told: BTreeSet<String> = readme.first_column(&format!("### {kind}")).into_iter().collect();
        assert_eq!(told, fields, "{kind}");
        let short = crd.spec.names.short_names.unwrap_or_default();
        let short = short.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        assert!(readme.text.contains(&format!("Short names {short}.")), "{kind}: {short}");
    }
}

fn leaves(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if field["properties"].is_object() {
            leaves(field, &path, found);
        } else if field["items"]["properties"].is_object() {
            leaves(&field["items"], &format!("{path}[]"), found);
        } else {
            found.insert(path);
        }
    }
}

#[test]
fn phases_conditions_and_words() {
    let readme = page("README.md");
    let told = readme.first_column("## Phases and conditions");
    assert_eq!(told, Phase::iter().map(|phase| phase.to_string()).collect::<Vec<_>>());
    let (_, below) = readme.text.split_once("| condition | question |").expect("the conditions");
    for condition in ConditionType::iter() {
        assert!(below.contains(&format!("| `{condition}` | ")), "{condition}");
    }
    for word in [names::ACTION, names::RESET_PASSWORD_AT, names::PAUSED, names::FINALIZER] {
        assert!(readme.text.contains(word), "{word}");
    }
}

#[test]
fn keys_and_variables_of_the_configuration() {
    // Each section has a table of its own.
    let text = page("docs/configuration.md").text;
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let keys: Vec<String> = rows.map(|(key, _)| key.to_owned()).collect();
    for page in pages() {
        for span in page.spans() {
            let is_key =
                ["backends.local.", "reconcile.", "security."].iter().any(|start| span.starts_with(start));
            assert!(!is_key || keys.contains(&span), "{}: there is no key {span}", page.path);
        }
    }
    for path in ["README.md", "docs/configuration.md"] {
        let text = page(path).text;
        let words = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
        for word in words.filter(|word| word.starts_with("HYBRIDCLOUD_") && !word.ends_with('_')) {
            let known = keys
                .iter()
                .any(|key| word == format!("HYBRIDCLOUD_{}", key.replace('.', "_").to_uppercase()));
            assert!(known, "{path}: {word}");
        }
    }
}

#[test]
fn variables_for_tests_are_read_somewhere() {
    let mut sources = String::new();
    for file in [
        "scripts/toolchain.sh",
        "scripts/test.sh",
        "integration-tests/control-plane/build.sh",
        "integration-tests/tests/postgres_matrix.rs",
        "integration-tests/clouds/src/azure/contract.rs",
    ] {
        sources.push_str(&fs::read_to_string(project_file(file)).unwrap());
    }
    for folder in ["operator", "control_plane"] {
        for entry in fs::read_dir(project_file("integration-tests/src").join(folder)).unwrap() {
            sources.push_str(&fs::read_to_string(entry.unwrap().path()).unwrap_or_default());
        }
    }
    for span in page("CONTRIBUTING.md").spans() {
        assert!(!span.starts_with("HCPG_") || sources.contains(&span), "{span} is read nowhere");
    }
}

#[test]
fn examples_are_read_as_they_are_meant() {
    let mut objects = 0;
    for page in pages() {
        for block in page.blocks().into_iter().filter(|block| block.language == "yaml") {
            for document in serde_saphyr::from_multiple::<Value>(&block.text).unwrap() {
                let read = match document["kind"].as_str() {
                    Some("PostgreSQLServer") => again::<PostgreSQLServer>(&document),
                    Some("PostgreSQLDatabase") => again::<PostgreSQLDatabase>(&document),
                    Some(kind) => panic!("{}: what is a {kind}?", page.path),
                    None => {
                        let loaded = Config::parse(&block.text, Path::new(&page.path), std::iter::empty());
                        let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
                        assert_eq!(loaded.warnings, []);
                        continue;
                    }
                };
                objects += 1;
                assert_eq!(document, read, "{}: a field is not known", page.path);
            }
        }
    }
    assert!(objects >= 2);
}

/// What is left of an object when it is read and written: what is not known is gone.
fn again<K: serde::de::DeserializeOwned + serde::Serialize>(document: &Value) -> Value {
    let object: K = serde_json::from_value(document.clone()).unwrap();
    serde_json::to_value(object).unwrap()
}
