//! The CustomResourceDefinitions of both kinds, as they are installed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};
use kube::CustomResourceExt;

use super::{PostgreSQLDatabase, PostgreSQLServer, rules};

/// Both definitions. Use these instead of each type's own `crd()`: they let objects without a `spec` pass that the
/// original's definitions let in.
pub fn crds() -> [CustomResourceDefinition; 2] {
    [PostgreSQLServer::crd(), PostgreSQLDatabase::crd()].map(|mut crd| {
        for version in &mut crd.spec.versions {
            if let Some(root) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut())
            {
                spec_by_rule(root);
            }
        }
        crd
    })
}

/// Asks for `spec` by a rule in place of `required`, which would apply to stored objects too.
fn spec_by_rule(root: &mut JSONSchemaProps) {
    root.required = None;
    root.x_kubernetes_validations = Some(vec![rules::root()]);
}
