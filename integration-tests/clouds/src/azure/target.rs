//! What a path names. Nothing in it is case-sensitive but the names of databases, rules and parameters [K].

use super::wire::{Ask, Refusal};

/// Spellings of types in answers and in the log, whatever the request has.
const TYPES: [&str; 24] = [
    "A",
    "azureAsyncOperation",
    "backups",
    "checkNameAvailability",
    "configurations",
    "databases",
    "firewallRules",
    "flexibleServers",
    "locations",
    "locks",
    "operationResults",
    "privateDnsZones",
    "privateDnsZoneGroups",
    "privateEndpoints",
    "privateEndpointConnections",
    "restart",
    "servers",
    "start",
    "stop",
    "subnets",
    "updateConfigurations",
    "virtualNetworkLinks",
    "virtualNetworkRules",
    "virtualNetworks",
];
const NAMESPACES: [&str; 3] = ["Microsoft.Authorization", "Microsoft.DBforPostgreSQL", "Microsoft.Network"];

/// The parts of a resource's path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) subscription: String,
    pub(super) group: Option<String>,
    pub(super) namespace: String,
    /// For example `flexibleServers`, `firewallRules`. One more than names: a list or an action.
    pub(super) types: Vec<&'static str>,
    pub(super) names: Vec<String>,
    /// Locks are resources below any other: what stands before `/providers/Microsoft.Authorization`, in lower case.
    pub(super) scope: String,
}

impl Target {
    pub(super) fn parse(ask: &Ask) -> Result<Self, Refusal> {
        Self::parts(&ask.segments).ok_or_else(|| {
            Refusal::new(
                404,
                "InvalidResourceType",
                format!("The path '{}' names nothing simulated.", ask.url),
            )
        })
    }

    fn parts(segments: &[String]) -> Option<Self> {
        let is = |at: usize, word: &str| segments.get(at).is_some_and(|it| it.eq_ignore_ascii_case(word));
        if !is(0, "subscriptions") {
            return None;
        }
        let group = if is(2, "resourceGroups") { Some(segments.get(3)?.clone()) } else { None };
        let providers = segments.iter().rposition(|it| it.eq_ignore_ascii_case("providers"))?;
        let namespace = segments.get(providers + 1)?;
        let rest = &segments[providers + 2..];
        let known = |name: &String| TYPES.iter().copied().find(|it| it.eq_ignore_ascii_case(name));
        Some(Self {
            subscription: segments.get(1)?.clone(),
            group,
            namespace: (*NAMESPACES.iter().find(|it| it.eq_ignore_ascii_case(namespace))?).to_owned(),
            types: rest.iter().step_by(2).map(known).collect::<Option<_>>()?,
            names: rest.iter().skip(1).step_by(2).cloned().collect(),
            scope: format!("/{}", segments[..providers].join("/")).to_lowercase(),
        })
    }

    /// One more type than names.
    pub(super) fn is_collection(&self) -> bool {
        self.types.len() > self.names.len()
    }

    /// For faults and the log: method and types, `LIST` for a GET of many.
    pub(super) fn action(&self, method: &str) -> String {
        let method = if method == "GET" && self.is_collection() { "LIST" } else { method };
        let types = match self.types.as_slice() {
            ["locations", "azureAsyncOperation" | "operationResults"] => "operations".to_owned(),
            types => types.join("/"),
        };
        format!("{method} {types}")
    }

    /// For faults and the log: the name of the server, in lower case.
    pub(super) fn id(&self) -> String {
        let name = if self.namespace == "Microsoft.Authorization" {
            self.scope.split('/').next_back().map(str::to_owned)
        } else {
            self.names.first().cloned()
        };
        name.unwrap_or_default().to_lowercase()
    }

    /// The path without what follows the resource itself, in lower case: the scope of its locks.
    pub(super) fn path(&self) -> String {
        let types = self.types.iter().zip(&self.names).map(|(kind, name)| format!("/{kind}/{name}"));
        format!("{}/providers/{}{}", self.scope, self.namespace, types.collect::<String>()).to_lowercase()
    }

    /// The permission that the call needs, as role definitions name it [D].
    pub(super) fn permission(&self, method: &str) -> String {
        let what = match method {
            "GET" => "read",
            "PUT" | "PATCH" => "write",
            "DELETE" => "delete",
            _ => "action",
        };
        format!("{}/{}/{what}", self.namespace, self.types.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> Option<Target> {
        let segments: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Target::parts(&segments)
    }

    #[rstest::rstest]
    #[case(
        "/subscriptions/s/resourcegroups/G/providers/microsoft.dbforpostgresql/FLEXIBLESERVERS/Shop",
        "GET",
        "GET flexibleServers",
        "shop",
        "Microsoft.DBforPostgreSQL/flexibleServers/read"
    )]
    #[case(
        "/subscriptions/s/resourceGroups/G/providers/Microsoft.DBforPostgreSQL/flexibleServers",
        "GET",
        "LIST flexibleServers",
        "",
        "Microsoft.DBforPostgreSQL/flexibleServers/read"
    )]
    #[case(
        "/subscriptions/s/resourceGroups/G/providers/Microsoft.DBforPostgreSQL/flexibleServers/a/restart",
        "POST",
        "POST flexibleServers/restart",
        "a",
        "Microsoft.DBforPostgreSQL/flexibleServers/restart/action"
    )]
    #[case(
        "/subscriptions/s/resourceGroups/G/providers/Microsoft.DBforPostgreSQL/flexibleServers/a/providers/Microsoft.Authorization/locks/l",
        "PUT",
        "PUT locks",
        "a",
        "Microsoft.Authorization/locks/write"
    )]
    #[case(
        "/subscriptions/s/providers/Microsoft.DBforPostgreSQL/locations/x/azureAsyncOperation/7",
        "GET",
        "GET operations",
        "x",
        "Microsoft.DBforPostgreSQL/locations/azureAsyncOperation/read"
    )]
    fn a_path_names_what_it_names(
        #[case] path: &str,
        #[case] method: &str,
        #[case] action: &str,
        #[case] id: &str,
        #[case] permission: &str,
    ) {
        let target = parse(path).unwrap();
        assert_eq!((target.action(method).as_str(), target.id().as_str()), (action, id));
        assert_eq!(target.permission(method), permission);
    }

    #[test]
    fn a_double_slash_changes_nothing_and_other_paths_name_nothing() {
        let path = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL//flexibleServers/a";
        assert_eq!(parse(path), parse(&path.replace("//", "/")));
        assert_eq!(parse("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d"), None);
        assert_eq!(parse("/metadata"), None);
    }
}
