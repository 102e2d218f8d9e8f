//! The settings of `resource-requirements`, and what is wrong with them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::exempt_images::ExemptImages;
use super::Resource;
use super::bounds::{Bounds, Range};
use crate::json::{Node, Path};
use crate::kubernetes::names::is_label_key;
use crate::kubernetes::quantity::Quantity;
use crate::rule::SettingsError;

/// What containers must say of their resources.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Resources that every container must request.
    requests: Vec<String>,
    /// Resources for which every container must have a limit.
    limits: Vec<String>,
    /// Bounds for each container, by resource.
    containers: BTreeMap<String, RawBounds>,
    /// Bounds for all containers of a pod together, by resource.
    pods: BTreeMap<String, RawBounds>,
    /// What images of containers begin with that are let pass.
    exempt_images: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            requests: texts(&["cpu", "memory"]),
            limits: texts(&["memory"]),
            containers: BTreeMap::new(),
            pods: BTreeMap::new(),
            exempt_images: vec![],
        }
    }
}

/// Bounds of one resource.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct RawBounds {
    /// The lowest request, a quantity.
    min_request: Option<String>,
    /// The highest request, a quantity.
    max_request: Option<String>,
    /// The lowest limit, a quantity.
    min_limit: Option<String>,
    /// The highest limit, a quantity.
    max_limit: Option<String>,
    /// How many times the request the limit may be, at least 1.
    max_ratio: Option<f64>,
}

impl Settings {
    /// What is asked of each resource, by name, and of which containers it is not.
    pub(super) fn read(self) -> Result<(Vec<Resource>, ExemptImages), Vec<SettingsError>> {
        let mut errors = vec![];
        let mut resources = BTreeMap::new();
        let mut listed = |field: &str, names: &[String], is_request: bool, errors: &mut Vec<SettingsError>| {
            for (position, name) in names.iter().enumerate() {
                check_name(&format!("/{field}/{position}"), name, errors);
                let resource = entry(&mut resources, name);
                if is_request {
                    resource.needs_request = true;
                } else {
                    resource.needs_limit = true;
                }
            }
        };
        listed("requests", &self.requests, true, &mut errors);
        listed("limits", &self.limits, false, &mut errors);
        for (field, bounds, is_pod) in [("containers", &self.containers, false), ("pods", &self.pods, true)] {
            for (name, raw) in bounds {
                let pointer = Path::root(field).key(name).to_pointer();
                check_name(&pointer, name, &mut errors);
                let bounds = raw.read(&pointer, &mut errors);
                let resource = entry(&mut resources, name);
                *(if is_pod { &mut resource.pod } else { &mut resource.container }) = bounds;
            }
        }
        if resources.is_empty() {
            let message = "nothing is asked: name resources under requests, limits, containers or pods".to_owned();
            errors.push(SettingsError { pointer: String::new(), message });
        }
        let exempt = ExemptImages::new(&self.exempt_images).map_err(|own| errors.extend(own)).unwrap_or_default();
        if errors.is_empty() { Ok((resources.into_values().collect(), exempt)) } else { Err(errors) }
    }
}

fn entry<'r>(resources: &'r mut BTreeMap<String, Resource>, name: &str) -> &'r mut Resource {
    resources.entry(name.to_owned()).or_insert_with(|| Resource {
        name: name.to_owned(),
        needs_request: false,
        needs_limit: false,
        container: Bounds::default(),
        pod: Bounds::default(),
    })
}

fn check_name(pointer: &str, name: &str, errors: &mut Vec<SettingsError>) {
    if !is_label_key(name) {
        let message = format!("{name:?} can be no resource: expected one such as \"memory\" or \"example.com/gpu\"");
        errors.push(SettingsError { pointer: pointer.to_owned(), message });
    }
}

impl RawBounds {
    fn read(&self, pointer: &str, errors: &mut Vec<SettingsError>) -> Bounds {
        let mut quantity = |field: &str, text: &Option<String>| {
            let read = Quantity::parse(text.as_ref()?.trim()).map_err(|error| error.to_string());
            let read = read.and_then(|amount| match amount.sign() {
                std::cmp::Ordering::Greater => Ok(amount),
                _ => Err("expected more than 0".to_owned()),
            });
            let fail = |message| errors.push(SettingsError { pointer: format!("{pointer}/{field}"), message });
            read.map_err(fail).ok()
        };
        let request =
            Range { min: quantity("minRequest", &self.min_request), max: quantity("maxRequest", &self.max_request) };
        let limit = Range { min: quantity("minLimit", &self.min_limit), max: quantity("maxLimit", &self.max_limit) };
        let ratio = self.max_ratio.and_then(|ratio| {
            let read = Quantity::read(Node::float(ratio)).ok().filter(|_| ratio >= 1.0);
            if read.is_none() {
                let message = "a limit is never below its request: expected a number from 1 on".to_owned();
                errors.push(SettingsError { pointer: format!("{pointer}/maxRatio"), message });
            }
            read
        });
        let pairs = [
            ("minRequest", &request.min, "maxRequest", &request.max),
            ("minLimit", &limit.min, "maxLimit", &limit.max),
            ("minRequest", &request.min, "maxLimit", &limit.max),
        ];
        for (low_name, low, high_name, high) in pairs {
            if let (Some(low), Some(high)) = (low, high)
                && low > high
            {
                let message = format!("{low_name} {low} is above {high_name} {high}: nothing can meet both");
                errors.push(SettingsError { pointer: format!("{pointer}/{low_name}"), message });
            }
        }
        let bounds = Bounds { request, limit, ratio };
        if bounds.is_empty() && errors.is_empty() {
            let message =
                "nothing is bounded: expected minRequest, maxRequest, minLimit, maxLimit or maxRatio".to_owned();
            errors.push(SettingsError { pointer: pointer.to_owned(), message });
        }
        bounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(settings: serde_json::Value) -> Vec<(String, String)> {
        let errors = serde_json::from_value::<Settings>(settings).unwrap().read().unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.message)).collect()
    }

    fn expected(pointer: &str, message: &str) -> Vec<(String, String)> {
        vec![(pointer.to_owned(), message.to_owned())]
    }

    #[test]
    fn rejects_bounds_that_nothing_can_meet() {
        let bounds = |bounds| errors(serde_json::json!({"containers": {"memory": bounds}}));
        assert_eq!(
            bounds(serde_json::json!({"minRequest": "2Gi", "maxRequest": "1Gi"})),
            expected("/containers/memory/minRequest", "minRequest 2Gi is above maxRequest 1Gi: nothing can meet both")
        );
        assert_eq!(
            bounds(serde_json::json!({"minRequest": "2Gi", "maxLimit": "1Gi"})),
            expected("/containers/memory/minRequest", "minRequest 2Gi is above maxLimit 1Gi: nothing can meet both")
        );
        assert_eq!(
            bounds(serde_json::json!({"maxRatio": 0.5})),
            expected("/containers/memory/maxRatio", "a limit is never below its request: expected a number from 1 on")
        );
        assert_eq!(
            bounds(serde_json::json!({"maxLimit": "0"})),
            expected("/containers/memory/maxLimit", "expected more than 0")
        );
        assert_eq!(
            bounds(serde_json::json!({})),
            expected(
                "/containers/memory",
                "nothing is bounded: expected minRequest, maxRequest, minLimit, maxLimit or maxRatio"
            )
        );
    }

    #[test]
    fn rejects_what_is_no_resource_and_no_quantity() {
        assert_eq!(
            errors(serde_json::json!({"requests": ["a b"]})),
            expected(
                "/requests/0",
                "\"a b\" can be no resource: expected one such as \"memory\" or \"example.com/gpu\""
            )
        );
        let message = "no quantity: expected a number and perhaps a suffix, as in `100m`, `1.5Gi` or `12e6`";
        assert_eq!(
            errors(serde_json::json!({"pods": {"example.com/gpu": {"maxLimit": "1GB"}}})),
            expected("/pods/example.com~1gpu/maxLimit", message)
        );
        assert_eq!(
            errors(serde_json::json!({"requests": [], "limits": []})),
            expected("", "nothing is asked: name resources under requests, limits, containers or pods")
        );
    }
}
