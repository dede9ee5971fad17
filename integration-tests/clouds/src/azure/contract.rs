//! Recorded traffic before the official judge: `oav` with Azure's own Swagger.
//!
//! The Swagger is no part of this project. `HCPG_AZURE_SPECS` names a folder with it, as `Azure/azure-rest-api-specs` has
//! it: `specification/**/resource-manager/**`. Without it nothing is judged, and the verdict says so.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::Simulator;
use super::serve::Call;

const SPECS: &str = "HCPG_AZURE_SPECS";
/// Named, but there is no Swagger of them: polling, and versions that are not published yet.
const NOT_IN_SWAGGER: [&str; 2] = [" operations", "api-version=2026"];

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is nothing to judge by; why.
    NotJudged(String),
    /// So many exchanges were judged, and these are the findings.
    Judged(usize, Vec<String>),
}

impl Simulator {
    /// The traffic so far, as `oav` reads it: without tokens, polling, and what a fault spoilt.
    #[must_use]
    pub fn traffic(&self) -> Vec<Value> {
        self.log().iter().filter(|call| judged(call)).map(exchange).collect()
    }

    /// Has the traffic so far judged. `folder` is for `oav`, which npm installs there once.
    pub fn judge(&self, folder: &Path) -> io::Result<Verdict> {
        judge(&self.traffic(), folder)
    }
}

fn judged(call: &Call) -> bool {
    let left_out = |it: &str| call.action.ends_with(it) || call.url.contains(it);
    // What is not simulated may not be in the Swagger at all.
    let by_service = !matches!(call.status, 0 | 405);
    // That Swagger has an error without the `error` around it, which Resource Manager never leaves out.
    if call.status >= 400 && call.action.ends_with(" privateEndpoints") {
        return false;
    }
    call.permission.is_some() && by_service && !call.faulty && !NOT_IN_SWAGGER.iter().any(|it| left_out(it))
}

fn exchange(call: &Call) -> Value {
    let mut headers = json!({"content-type": "application/json; charset=utf-8"});
    for (name, value) in &call.answer_headers {
        headers[name] = json!(value);
    }
    let mut request = json!({
        "method": call.method,
        "url": format!("https://management.azure.com{}", call.url),
        "headers": {"content-type": call.content_type.as_deref().unwrap_or("application/json")},
    });
    if let Some(body) = &call.body {
        request["body"] = body.clone();
    }
    let mut response = json!({"statusCode": call.status.to_string(), "headers": headers});
    if let Some(body) = &call.answer {
        response["body"] = body.clone();
    }
    json!({"liveRequest": request, "liveResponse": response})
}

/// Has any traffic judged, see [`Simulator::judge`].
pub fn judge(traffic: &[Value], folder: &Path) -> io::Result<Verdict> {
    let Some(specs) = std::env::var_os(SPECS).map(PathBuf::from) else {
        return Ok(Verdict::NotJudged(format!("{SPECS} names no folder with Azure's Swagger")));
    };
    if !specs.join("specification").is_dir() {
        return Ok(Verdict::NotJudged(format!("{} has no folder specification", specs.display())));
    }
    let referees = Path::new(env!("CARGO_MANIFEST_DIR")).join("referees");
    install(&referees, folder)?;
    let mut file = tempfile::NamedTempFile::new()?;
    for exchange in traffic {
        writeln!(file, "{exchange}")?;
    }
    let script = referees.join("oav.js");
    let output = Command::new("node").arg(script).arg(folder).arg(specs).arg(file.path()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut findings = Vec::new();
    let mut count = None;
    for line in said.lines().filter_map(|line| line.strip_prefix("oav: ")) {
        let line: Value = serde_json::from_str(line).map_err(io::Error::other)?;
        match line["judged"].as_u64() {
            Some(judged) => count = usize::try_from(judged).ok(),
            None => findings.push(line.to_string()),
        }
    }
    match count {
        Some(count) => Ok(Verdict::Judged(count, findings)),
        None => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

/// Once; two test programs may come at the same time.
fn install(referees: &Path, folder: &Path) -> io::Result<()> {
    let wanted = std::fs::read(referees.join("package.json"))?;
    if std::fs::read(folder.join("complete")).is_ok_and(|present| present == wanted) {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    let script = "exec 9>lock; flock 9; cmp --silent package.json complete && exit 0; \
                  npm install --silent --no-audit --no-fund >log 2>&1 || { cat log >&2; exit 1; }; cp package.json complete";
    std::fs::write(folder.join("package.json"), wanted)?;
    let output = Command::new("bash").args(["-euc", script]).current_dir(folder).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("npm: {}", String::from_utf8_lossy(&output.stderr))))
}
