//! From units to one set: a pure function of their contents, so that replicas agree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::policy_set::PolicySet;
use crate::document::Diagnostic;
use crate::policy::{Mutator, Validator};
use crate::unit::admission_policy::{Binding, InForce, Native};
use crate::unit::{CompiledUnit, Parameter};

/// Joins units to a set. A unit that uses the name of a policy in another one is left out, the one that comes later by
/// name, on every replica alike; the diagnostics say which and why.
pub fn link(units: &[Arc<CompiledUnit>]) -> (PolicySet, Vec<Diagnostic>) {
    let mut sorted = units.to_vec();
    sorted.sort_by(|left, right| left.name().cmp(right.name()));
    link_by_precedence(&sorted)
}

/// The same where it is the order of the units that says which one is left out. What is not left out makes the same set in
/// any order.
pub fn link_by_precedence(units: &[Arc<CompiledUnit>]) -> (PolicySet, Vec<Diagnostic>) {
    let all: Vec<&Arc<CompiledUnit>> = units.iter().collect();
    let param_kinds = param_kinds(&all);
    let mut owners: BTreeMap<&str, &CompiledUnit> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut linked: Vec<&CompiledUnit> = Vec::new();
    for unit in all {
        let taken: Vec<(&str, &CompiledUnit)> =
            unit.names().filter_map(|name| owners.get(name).map(|owner| (name, *owner))).collect();
        for (name, owner) in &taken {
            let message = format!(
                "policy `{name}` is defined in {} already: all of {} is left out until one of them is renamed",
                owner.name(),
                unit.name()
            );
            problems.extend(unit.problem_at(name, message));
        }
        let is_wanted = |object: &Parameter| param_kinds.contains(&(object.api_version.as_str(), object.kind.as_str()));
        let unwanted: Vec<Diagnostic> =
            unit.parameters.iter().filter(|object| !is_wanted(object)).map(Parameter::unwanted).collect();
        let is_left_out = !taken.is_empty() || !unwanted.is_empty();
        problems.extend(unwanted);
        if is_left_out {
            continue;
        }
        owners.extend(unit.names().map(|name| (name, unit.as_ref())));
        linked.push(unit);
    }
    linked.sort_by(|left, right| left.name().cmp(right.name()));
    let (mut mutators, mut validators, mut hash) = (vec![], vec![], Sha256::new());
    for unit in &linked {
        mutators.extend(unit.mutators.iter().cloned());
        validators.extend(unit.validators.iter().cloned());
        hash.update(unit.name().len().to_le_bytes());
        hash.update(unit.name());
        hash.update(unit.digest());
    }
    problems.extend(bind(&linked, &mut mutators, &mut validators));
    let parameters = linked.iter().flat_map(|unit| unit.parameters.iter().cloned()).collect();
    let set = PolicySet::new(mutators, validators, crate::unit::hexadecimal(&hash.finalize()));
    (set.with_parameters(parameters), problems)
}

/// The policies of these units as tests see them: whatever stands in other units. One of Kubernetes' own policies that has no
/// binding here is in force wherever it matches, as if bound with the action Deny and all parameters that there are.
pub fn apart(units: &[&CompiledUnit]) -> PolicySet {
    let all = || units.iter().flat_map(|unit| &unit.bindings);
    let mut mutators: Vec<Arc<Mutator>> = units.iter().flat_map(|unit| unit.mutators.iter().cloned()).collect();
    let mut validators: Vec<Arc<Validator>> = units.iter().flat_map(|unit| unit.validators.iter().cloned()).collect();
    for native in units.iter().flat_map(|unit| &unit.natives) {
        let own: Vec<InForce> =
            all().filter(|binding| binding.policy_key() == native.key()).map(|it| native.bind(it)).collect();
        let in_force = if own.is_empty() { vec![native.bind(&Binding::everywhere(native))] } else { own };
        for policy in in_force {
            match policy {
                InForce::Mutates(mutator) => mutators.push(Arc::new(mutator)),
                InForce::Judges(validator) => validators.push(Arc::new(validator)),
            }
        }
    }
    let parameters = units.iter().flat_map(|unit| unit.parameters.iter().cloned()).collect();
    PolicySet::new(mutators, validators, String::new()).with_parameters(parameters)
}

/// Puts policies in force under their bindings. What stands alone, policy or binding, is warned about and does nothing.
fn bind(
    units: &[&CompiledUnit],
    mutators: &mut Vec<Arc<Mutator>>,
    validators: &mut Vec<Arc<Validator>>,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let natives: BTreeMap<String, (&CompiledUnit, &Native)> =
        units.iter().flat_map(|unit| unit.natives.iter().map(|native| (native.key(), (*unit, native)))).collect();
    let mut bound: BTreeSet<String> = BTreeSet::new();
    for (unit, binding) in units.iter().flat_map(|unit| unit.bindings.iter().map(move |binding| (*unit, binding))) {
        let key = binding.policy_key();
        let Some((_, native)) = natives.get(&key) else {
            let message = format!("binding `{}` puts nothing in force: there is no {key}", binding.name);
            problems.extend(unit.problem_at(&binding.key(), message).map(Diagnostic::into_warning));
            continue;
        };
        match native.bind(binding) {
            InForce::Mutates(mutator) => mutators.push(Arc::new(mutator)),
            InForce::Judges(validator) => validators.push(Arc::new(validator)),
        }
        bound.insert(key);
    }
    for (key, (unit, native)) in natives.iter().filter(|(key, _)| !bound.contains(*key)) {
        let message = format!("policy `{}` has no binding: it is loaded and does nothing", native.origin.policy);
        problems.extend(unit.problem_at(key, message).map(Diagnostic::into_warning));
    }
    problems
}

/// Warnings for whoever has no cluster to ask: bindings that take parameters of a kind of which none stands among the policy
/// documents of these units.
pub fn missing_parameters(units: &[Arc<CompiledUnit>]) -> Vec<Diagnostic> {
    let there: BTreeSet<(&str, &str)> = units
        .iter()
        .flat_map(|unit| &unit.parameters)
        .map(|object| (object.api_version.as_str(), object.kind.as_str()))
        .collect();
    let natives: BTreeMap<String, &Native> =
        units.iter().flat_map(|unit| &unit.natives).map(|native| (native.key(), native)).collect();
    let bindings = units.iter().flat_map(|unit| unit.bindings.iter().map(move |binding| (unit, binding)));
    bindings
        .filter(|(_, binding)| binding.takes_parameters())
        .filter_map(|(unit, binding)| {
            let kind = natives.get(&binding.policy_key())?.param_kind()?;
            if there.contains(&(kind.api_version.as_str(), kind.kind.as_str())) {
                return None;
            }
            let message = format!(
                "binding `{}` takes parameters of kind {} of {}, and none stands among the policies: put them there, or name a cluster with --kubeconfig",
                binding.name, kind.kind, kind.api_version
            );
            unit.problem_at(&binding.key(), message).map(Diagnostic::into_warning)
        })
        .collect()
}

/// The kinds that policies take their parameters from.
fn param_kinds<'u>(units: &[&'u Arc<CompiledUnit>]) -> BTreeSet<(&'u str, &'u str)> {
    let kinds = units.iter().flat_map(|unit| unit.natives.iter().filter_map(Native::param_kind));
    kinds.map(|kind| (kind.api_version.as_str(), kind.kind.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::SourceFile;
    use crate::unit::{Unit, compile};

    fn unit(file: &str, names: &[&str]) -> Arc<CompiledUnit> {
        let document = |name: &&str| {
            format!(
                "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: host-ports }}\n"
            )
        };
        let text = names.iter().map(document).collect::<Vec<_>>().join("---\n");
        compile(&Unit::of_file(SourceFile::new(file, text))).unwrap()
    }

    fn names(set: &PolicySet) -> Vec<&str> {
        set.validators().iter().map(|validator| validator.head.origin.policy.as_str()).collect()
    }

    #[test]
    fn leaves_out_the_later_one_by_the_given_order() {
        let (first, second) = (unit("a.yaml", &["x"]), unit("b.yaml", &["x", "w"]));
        let (set, problems) = link_by_precedence(&[Arc::clone(&second), Arc::clone(&first)]);
        assert_eq!(names(&set), ["w", "x"]);
        assert_eq!(
            problems[0].message,
            "policy `x` is defined in b.yaml already: all of a.yaml is left out until one of them is renamed"
        );
        let third = unit("c.yaml", &["z"]);
        let digest = |units: &[&Arc<CompiledUnit>]| {
            link_by_precedence(&units.iter().map(|unit| Arc::clone(unit)).collect::<Vec<_>>()).0.digest().to_owned()
        };
        assert_eq!(digest(&[&third, &first]), digest(&[&first, &third]));
    }

    #[test]
    fn joins_units_in_any_order_to_the_same_set() {
        let (first, second) = (unit("a.yaml", &["x"]), unit("b.yaml", &["w", "z"]));
        let (one, problems) = link(&[Arc::clone(&first), Arc::clone(&second)]);
        let (other, _) = link(&[second, Arc::clone(&first)]);
        assert!(problems.is_empty());
        assert_eq!(names(&one), ["w", "x", "z"]);
        assert_eq!(one.digest(), other.digest());
        assert_ne!(one.digest(), link(&[first]).0.digest());
    }

    #[test]
    fn leaves_the_later_unit_out_and_names_both() {
        let (first, second) = (unit("a.yaml", &["x"]), unit("b.yaml", &["w", "x"]));
        for units in [[Arc::clone(&first), Arc::clone(&second)], [second, first]] {
            let (set, problems) = link(&units);
            assert_eq!(names(&set), ["x"]);
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(
                texts,
                [
                    "b.yaml:8:19: error: policy `x` is defined in a.yaml already: all of b.yaml is left out until one of them is renamed"
                ]
            );
        }
    }

    #[test]
    fn names_bindings_whose_parameters_nobody_has() {
        let limit = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: limit }
spec:
  paramKind: { apiVersion: rules.example.com/v1, kind: Limit }
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }
  validations: [{ expression: 'params.x == true' }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: to-limit }
spec: { policyName: limit, validationActions: [Deny], paramRef: { name: a, parameterNotFoundAction: Deny } }
";
        let parameter = "{ apiVersion: rules.example.com/v1, kind: Limit, metadata: { name: a }, x: true }";
        let compiled = |name: &str, text: &str| compile(&Unit::of_file(SourceFile::new(name, text))).unwrap();
        let missing =
            |units: &[Arc<CompiledUnit>]| missing_parameters(units).iter().map(ToString::to_string).collect::<Vec<_>>();
        let limit = compiled("a.yaml", limit);
        let warned = "a.yaml:11:19: warning: binding `to-limit` takes parameters of kind Limit of rules.example.com/v1, and none stands among the policies: put them there, or name a cluster with --kubeconfig";
        assert_eq!(missing(&[Arc::clone(&limit)]), [warned]);
        assert!(missing(&[limit, compiled("b.yaml", parameter)]).is_empty());
    }
}
