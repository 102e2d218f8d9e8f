use super::*;
use crate::json::{Arena, read};
use crate::kubernetes::kinds::Kinds;

#[test]
fn knows_every_type_that_it_mentions() {
    let schemas = Schemas::built_in();
    let nothing = schemas.types.iter().filter(|one| one.scalar.is_none() && one.list.is_none() && one.map.is_none());
    assert_eq!(nothing.count(), 0);
    let table = table::TABLE.split("\n\n").next().unwrap().lines().filter(|line| !line.starts_with('#'));
    assert_eq!(schemas.kinds.len(), table.count());
    // The fields of all types, once for the type and once for each place that replaces it as a whole.
    let fields = table::TABLE.lines().filter(|line| line.starts_with(' ')).count();
    let read: usize = schemas.types.iter().filter_map(|one| one.map.as_ref()).map(|map| map.fields.len()).sum();
    assert!(read >= fields, "{read} of {fields}");
}

#[test]
fn knows_every_built_in_kind_that_can_be_created() {
    let schemas = Schemas::built_in();
    let kinds = Kinds::built_in();
    let created = kinds.rows().iter().filter(|row| row.verbs.contains(&"create"));
    let unknown: Vec<String> = created
        .filter(|row| {
            let version = format!("{}/{}", row.group, row.version);
            schemas.of(version.trim_start_matches('/'), row.kind).is_none()
        })
        .map(|row| format!("{}/{}/{}", row.group, row.version, row.kind))
        .collect();
    assert_eq!(unknown, [""; 0]);
    assert!(schemas.of("apps/v1", "Pod").is_none() && schemas.of("", "").is_none() && schemas.of("v1", "Po").is_none());
}

/// The type at the end of these fields; lists are walked into.
fn at<'s>(schema: &'s Schema, fields: &[&str]) -> &'s Type {
    fields.iter().fold(schema.get(schema.root()), |one, field| {
        let of = one.map.as_ref().unwrap().under(field).unwrap();
        match &schema.get(of).list {
            Some(list) if schema.get(of).map.is_none() && fields.last() != Some(field) => schema.get(list.element),
            _ => schema.get(of),
        }
    })
}

#[test]
fn reads_lists_maps_and_defaults_of_keys() {
    let schemas = Schemas::built_in();
    let deployment = schemas.of("apps/v1", "Deployment").unwrap();
    assert!(at(&deployment, &["spec", "selector"]).map.as_ref().unwrap().is_atomic);
    assert!(!at(&deployment, &["spec", "template"]).map.as_ref().unwrap().is_atomic);
    assert_eq!(at(&deployment, &["spec", "replicas"]).scalar, Some(Scalar::Numeric));
    assert_eq!(at(&deployment, &["metadata", "finalizers"]).list.as_ref().unwrap().items, Items::Set);
    let ports = at(&deployment, &["spec", "template", "spec", "containers", "ports"]).list.as_ref().unwrap();
    assert_eq!(ports.items, Items::Keyed(["containerPort".into(), "protocol".into()].into()));
    assert_eq!(deployment.key_default(ports, "protocol"), Some(&Constant::from(serde_json::json!("TCP"))));
    assert_eq!(deployment.key_default(ports, "containerPort"), Some(&Constant::from(serde_json::json!(0))));
    let tolerations = at(&deployment, &["spec", "template", "spec", "tolerations"]).list.as_ref().unwrap();
    assert_eq!(tolerations.items, Items::Atomic);
    let labels = at(&deployment, &["metadata", "labels"]).map.as_ref().unwrap();
    assert!(labels.declared("x").is_none() && labels.under("x").is_some() && !labels.is_atomic);
}

#[test]
fn reads_the_definition_of_a_custom_resource() {
    let arena = Arena::with_limit(1 << 20);
    let definition = r#"{"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":{"type":"object","properties":{
        "spec":{"type":"object","properties":{
            "tags":{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"},
            "rules":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["id"],
                "items":{"type":"object","properties":{"id":{"type":"string","default":"a"}}}},
            "point":{"type":"object","x-kubernetes-map-type":"atomic","properties":{"x":{"type":"integer"}}},
            "port":{"x-kubernetes-int-or-string":true},
            "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"in":{"type":"object","properties":{"x":{"type":"string"}}}}}
        }}}}}},{"name":"v2"}]}}"#;
    let definition = read(&arena, definition).unwrap();
    let schemas = Schemas::built_in();
    let schema = Schema::of_crd(definition, "v1", &schemas).unwrap();
    assert!(at(&schema, &["spec", "point"]).map.as_ref().unwrap().is_atomic);
    assert_eq!(at(&schema, &["spec", "tags"]).list.as_ref().unwrap().items, Items::Set);
    let rules = at(&schema, &["spec", "rules"]).list.as_ref().unwrap();
    assert_eq!(rules.items, Items::Keyed(["id".into()].into()));
    assert_eq!(schema.key_default(rules, "id"), Some(&Constant::from(serde_json::json!("a"))));
    let port = at(&schema, &["spec", "port"]);
    assert!(port.scalar == Some(Scalar::Untyped) && port.list.is_some() && port.map.is_some());
    assert!(at(&schema, &["spec", "free", "in"]).map.as_ref().unwrap().under("unknown").is_some());
    assert!(at(&schema, &["spec"]).map.as_ref().unwrap().under("unknown").is_none());
    assert_eq!(at(&schema, &["metadata", "finalizers"]).list.as_ref().unwrap().items, Items::Set);
    assert_eq!(at(&schema, &["apiVersion"]).scalar, Some(Scalar::String));
    assert!(at(&Schema::of_crd(definition, "v2", &schemas).unwrap(), &["spec", "x"]).scalar.is_some());
    let error = Schema::of_crd(definition, "v3", &schemas).unwrap_err().to_string();
    assert_eq!(error, "the definition has no version \"v3\" in spec.versions");
}

#[test]
fn refuses_a_definition_that_says_what_nobody_knows() {
    let arena = Arena::with_limit(1 << 20);
    let schemas = Schemas::built_in();
    let error = |schema: &str| {
        let text = format!(
            r#"{{"spec":{{"versions":[{{"name":"v1","schema":{{"openAPIV3Schema":{{"type":"object","properties":{{"a":{schema}}}}}}}}}]}}}}"#
        );
        Schema::of_crd(read(&arena, &text).unwrap(), "v1", &schemas).unwrap_err().to_string()
    };
    assert_eq!(error(r#"{"type":"thing"}"#), "the schema at \"a\" has the unknown type \"thing\"");
    assert_eq!(error(r#"{"type":"array"}"#), "the schema at \"a\" is an array without items");
    assert_eq!(
        error(r#"{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"bag"}"#),
        "the schema at \"a\" has the unknown list type \"bag\""
    );
    let deep = format!("{}{{}}{}", r#"{"type":"object","additionalProperties":"#.repeat(110), "}".repeat(110));
    assert!(error(&deep).ends_with("is nested too deeply"));
}
