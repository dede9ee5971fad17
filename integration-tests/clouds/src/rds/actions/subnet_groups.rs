//! `DescribeDBSubnetGroups`. Tests add groups; their subnets are not simulated.

use std::sync::Arc;

use crate::rds::realm::Realm;
use crate::rds::wire::{Answer, Form, leaf, node, page};

pub(super) fn describe(realm: &Arc<Realm>, form: &Form) -> Answer {
    let names = match form.text("DBSubnetGroupName") {
        Some(name) => vec![realm.state().subnet_group(Some(name.to_lowercase()))?],
        None => realm.state().subnet_groups.clone(),
    };
    let subnet = |zone: &str| {
        let zone_name = leaf("Name", format!("{}{zone}", realm.place.region));
        node(
            "Subnet",
            [
                leaf("SubnetIdentifier", format!("subnet-{zone}")),
                node("SubnetAvailabilityZone", [zone_name]),
                leaf("SubnetStatus", "Active"),
            ],
        )
    };
    let one = |name: String| {
        let inner = [
            leaf("DBSubnetGroupName", &name),
            leaf("DBSubnetGroupDescription", &name),
            leaf("VpcId", "vpc-simulated"),
            leaf("SubnetGroupStatus", "Complete"),
            node("Subnets", ["a", "b"].map(subnet)),
            leaf("DBSubnetGroupArn", realm.arn("subgrp", &name)),
        ];
        (name, node("DBSubnetGroup", inner))
    };
    let mut all: Vec<_> = names.into_iter().map(one).collect();
    all.sort();
    page(form, "DBSubnetGroups", all)
}
