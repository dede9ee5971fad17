//! A variable for every key.

use proptest::prelude::*;

use super::super::path::{KeyPath, Step};
use super::super::shape::Shape;
use super::super::tree::{Content, Entry, Node, Origin};
use super::super::variables::{fitting, readings, variable_name};
use super::super::*;
use super::{MINIMAL, accepted, lines};

/// Every way through the shape, with the free names in their turn.
fn paths(shape: &Shape, path: &KeyPath, names: &[String], all: &mut Vec<KeyPath>) {
    let go = |step: Step, shape: &Shape, all: &mut Vec<KeyPath>| {
        let mut path = path.clone();
        path.0.push(step);
        all.push(path.clone());
        paths(shape, &path, names, all);
    };
    match shape {
        Shape::Section { fields, .. } => {
            fields.iter().for_each(|field| go(Step::Key(field.name.clone()), &field.shape, all));
        }
        Shape::Table(inner) => names.iter().for_each(|name| go(Step::Key(name.clone()), inner, all)),
        Shape::List(inner) => go(Step::Index(0), inner, all),
        _ => {}
    }
}

/// What the variable of a key means, with a value that fits the key.
fn back(path: &KeyPath, shape: &Shape, root: &Node) -> Vec<KeyPath> {
    let all = readings(&variable_name(path, shape), shape, root);
    let its = all.iter().find(|reading| reading.path == *path);
    let value = match its.map(|its| its.shape) {
        Some(Shape::Section { fields, text_as: None }) => {
            let node = Node { origin: Origin::Variable(String::new()), content: Content::Nothing };
            let key = fields[0].name.clone();
            Content::Mapping(vec![Entry { key, origin: node.origin.clone(), node }])
        }
        Some(Shape::Table(_)) => Content::Mapping(Vec::new()),
        _ => Content::Text("x".to_owned()),
    };
    fitting(all, &value).into_iter().map(|reading| reading.path).collect()
}

#[test]
fn every_key_has_one_variable_and_every_variable_one_key() {
    let shape = Shape::configuration();
    let mut all = Vec::new();
    paths(shape, &KeyPath::default(), &["small".to_owned()], &mut all);
    assert!(all.len() > 250, "{}", all.len());
    for path in all {
        let its = back(&path, shape, &Node::empty());
        assert_eq!(its, std::slice::from_ref(&path), "{path}");
    }
}

proptest! {
    #[test]
    fn a_key_in_the_file_is_what_its_variable_means(
        name in "[A-Za-z][A-Za-z0-9_.-]{0,12}[a-z0-9]",
        pick in any::<prop::sample::Index>(),
    ) {
        let shape = Shape::configuration();
        let mut all = Vec::new();
        paths(shape, &KeyPath::default(), std::slice::from_ref(&name), &mut all);
        let path = pick.get(&all).clone();
        let mut root = Node::empty();
        let value = Node { origin: Origin::Variable(String::new()), content: Content::Text("x".to_owned()) };
        prop_assert!(root.set(&path.0, value));
        prop_assert_eq!(back(&path, shape, &root), std::slice::from_ref(&path));
    }

    #[test]
    fn a_key_that_is_not_in_the_file_is_among_what_its_variable_means(
        name in "[a-z][a-z0-9]{0,12}",
        pick in any::<prop::sample::Index>(),
    ) {
        let shape = Shape::configuration();
        let mut all = Vec::new();
        paths(shape, &KeyPath::default(), &[name], &mut all);
        let path = pick.get(&all);
        prop_assert!(back(path, shape, &Node::empty()).contains(path));
    }
}

#[test]
fn variables_reach_into_free_names_and_lists() {
    let yaml = format!(
        "{MINIMAL}  aws: {{region: r, subnet_group: s}}\n  awsrds: {{classes: {{very-big: {{instance_type: a}}}}, name_overrides: [{{namespace: n, name: m, aws_identifier: i}}]}}\n"
    );
    let Loaded { config, warnings } = accepted(
        &yaml,
        &[
            ("HYBRIDCLOUD_BACKENDS_AWSRDS_CLASSES_VERY_BIG_INSTANCE_TYPE", "b"),
            ("HYBRIDCLOUD_BACKENDS_AWSRDS_CLASSES_SMALL_ONE_INSTANCE_TYPE", "c"),
            ("HYBRIDCLOUD_BACKENDS_AWSRDS_TAGS_CostCenter", "12"),
            ("HYBRIDCLOUD_BACKENDS_AWSRDS_NAME_OVERRIDES_0_AWS_IDENTIFIER", "j"),
            ("HYBRIDCLOUD_BACKENDS_AWSRDS_NAME_OVERRIDES_1", "{namespace: o, name: p, aws_identifier: q}"),
            ("HYBRIDCLOUD_SECURITY", "{password_length: 20}"),
            ("HYBRIDCLOUD_SECURITY_SPECIAL_CHARACTERS", "false"),
        ],
    );
    assert_eq!(lines(&warnings), [""; 0]);
    let rds = config.backends.awsrds.unwrap();
    assert_eq!(rds.classes["very-big"].instance_type, "b");
    assert_eq!(rds.classes["small_one"].instance_type, "c");
    assert_eq!(rds.aws.tags["CostCenter"], "12");
    let identifiers: Vec<_> = rds.aws.name_overrides.iter().map(|one| one.aws_identifier.as_str()).collect();
    assert_eq!(identifiers, ["j", "q"]);
    assert_eq!(config.security, Security { password_length: 20, special_characters: false });
}

#[test]
fn a_variable_with_several_meanings_and_an_item_behind_a_gap_are_ignored_with_a_warning() {
    let yaml = format!("{MINIMAL}  awsrds: {{region: r, subnet_group: s, tags: {{a-b: x, a.b: y}}}}\n");
    let said = accepted(
        &yaml,
        &[("HYBRIDCLOUD_BACKENDS_AWSRDS_TAGS_A_B", "z"), ("HYBRIDCLOUD_ALLOWED_BACKENDS_3", "local")],
    );
    assert_eq!(
        lines(&said.warnings),
        [
            "HYBRIDCLOUD_BACKENDS_AWSRDS_TAGS_A_B: found a variable with several meanings, expected one of \
             backends.awsrds.tags.a-b, backends.awsrds.tags.a.b to be in the file; ignored",
            "HYBRIDCLOUD_ALLOWED_BACKENDS_3: allowed_backends[3]: found an item, expected no items to be left out \
             before it; ignored",
        ]
    );
    assert_eq!(said.config.backends.awsrds.unwrap().aws.tags["a-b"], "x");
}
