//! The CustomResourceDefinitions: for kubectl in `crds/`, and as templates of their chart.

use std::collections::BTreeMap;
use std::error::Error;

use hcpg::api::crds;

use crate::artefact::Artefact;
use crate::yaml;

/// Folder of the chart's templates.
const TEMPLATES: &str = "charts/hybrid-cloud-postgresql-operator-crds/templates";
/// Keeps Helm from deleting the definitions, and with them every server, when the chart is uninstalled.
const KEEP: (&str, &str) = ("helm.sh/resource-policy", "keep");

/// Each definition twice: plain, and as a template.
pub(crate) fn artefacts() -> Result<Vec<Artefact>, Box<dyn Error>> {
    let mut artefacts = Vec::new();
    for mut crd in crds() {
        let file = format!("{}.yaml", crd.spec.names.plural);
        artefacts.push(Artefact { path: format!("crds/{file}"), content: yaml::document(&crd)? });

        let annotations = crd.metadata.annotations.get_or_insert_with(BTreeMap::new);
        annotations.insert(KEEP.0.to_owned(), KEEP.1.to_owned());
        let content = yaml::document(&crd)?;
        if content.contains("{{") {
            return Err(
                format!("{file}: Helm would read a template action in this description or rule").into()
            );
        }
        artefacts.push(Artefact { path: format!("{TEMPLATES}/{file}"), content });
    }
    Ok(artefacts)
}
