//! The CustomResourceDefinitions of both kinds, as they are installed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps,
};
use kube::CustomResourceExt;
use serde_json::json;

use super::{PostgreSQLDatabase, PostgreSQLServer, rules};

/// Both definitions. Use these instead of each type's own `crd()`: they let objects without a `spec` pass that the
/// original's definitions let in, and call an object finished that the operator has not seen yet.
pub fn crds() -> [CustomResourceDefinition; 2] {
    [PostgreSQLServer::crd(), PostgreSQLDatabase::crd()].map(|mut crd| {
        for version in &mut crd.spec.versions {
            if let Some(root) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut())
            {
                spec_by_rule(root);
                never_observed(root);
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

/// Gives an object without a status a generation that was never observed. To tools that wait for objects, such as
/// `helm --wait`, one that says nothing at all would be as it should be.
fn never_observed(root: &mut JSONSchemaProps) {
    if let Some(status) = root.properties.as_mut().and_then(|properties| properties.get_mut("status")) {
        status.default = Some(JSON(json!({"observedGeneration": -1})));
    }
}
