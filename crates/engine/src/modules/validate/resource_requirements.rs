//! Refuses containers that do not say what they need, or need too much.
//!
//! # What it checks
//! The `resources` of regular and init containers, native sidecars among them, in pods and in the templates of
//! workloads. Ephemeral containers can have none. By default every container needs a request for CPU and memory and a
//! limit for memory; minimum, maximum and ratio are what the settings add.
//!
//! - A container that has a limit and no request requests its limit: the API server fills it in for pods, and here it
//!   counts in templates too.
//! - A request or a limit of 0 counts as absent: to the kubelet a limit of 0 is no limit.
//! - Where a limit has a maximum, a container without the limit is refused; where a request has a minimum, one without the
//!   request; where there is a ratio, one without either.
//! - What the pod's own `resources` (Kubernetes 1.34 or later) request or limit is shared by its containers: they need not
//!   name it. What they do name is held to minimum, maximum and ratio all the same.
//! - For the whole pod, regular containers and native sidecars are added up; an init container counts with the sidecars
//!   that run beside it, if that is more. The pod's own `resources` replace the sum. The overhead of a RuntimeClass does
//!   not count.
//!
//! Quantities are compared by value (`1` equals `1000m`). What is no quantity is refused where it is looked at.
//!
//! # Why
//! Without requests the scheduler packs nodes blindly; without a memory limit one leak takes down its neighbours. A limit
//! of the CPU is not required, because it slows containers down while the node is idle.
//!
//! # Settings
//! - `requests`: resources that every container must request. By default `cpu` and `memory`.
//! - `limits`: resources for which every container must have a limit. By default `memory`.
//! - `containers`: bounds for each container, by resource: `minRequest`, `maxRequest`, `minLimit`, `maxLimit` (quantities)
//!   and `maxRatio` (how many times the request the limit may be, at least 1).
//! - `pods`: the same bounds for all containers of a pod together.
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `registry.example.com/platform`. By default none. What they request still counts for the pod.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: resources }
//! spec:
//!   module: resource-requirements
//!   settings:
//!     requests: [cpu, memory]
//!     limits: [memory]
//!     containers:
//!       memory: { minRequest: 16Mi, maxLimit: 8Gi, maxRatio: 2 }
//!     pods:
//!       cpu: { maxRequest: "16" }
//! ```

mod bounds;
mod settings;

use self::bounds::Bounds;
pub use self::settings::Settings;
use super::exempt_images::ExemptImages;
use crate::json::{Node, Path};
use crate::kubernetes::pod::ContainerList;
use crate::kubernetes::quantity::Quantity;
use crate::kubernetes::resources::{Side, Total, amount, effective, total, written};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// See the page of `resource-requirements`.
#[derive(Debug)]
pub struct ResourceRequirements {
    resources: Vec<Resource>,
    exempt: ExemptImages,
}

/// What is asked of one resource.
#[derive(Debug)]
struct Resource {
    name: String,
    needs_request: bool,
    needs_limit: bool,
    container: Bounds,
    pod: Bounds,
}

impl Module for ResourceRequirements {
    const ID: &'static str = "resource-requirements";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/containerlimits",
        "gatekeeper-library/containerrequests",
        "gatekeeper-library/containerresourceratios",
        "gatekeeper-library/containerresources",
        "gatekeeper-library/ephemeralstoragelimit",
        "kyverno/require-pod-requests-limits",
    ];
    const PUBLIC: &'static [&'static str] = &["resources"];
    const DOC: &'static str = include_str!("resource_requirements.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let (resources, exempt) = settings.read()?;
        Ok(Self { resources, exempt })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        if self.resources.iter().any(|resource| !resource.pod.is_empty() || resource.container.ratio.is_some()) {
            return Err(NoTwin("it adds up and divides quantities, which is not written in CEL".into()));
        }
        let exempt = self.exempt.and_not("c.it");
        let mut twin = CelTwin::default();
        for resource in &self.resources {
            for side in [Side::Request, Side::Limit] {
                twin = resource.and_check(side, &exempt, twin);
            }
        }
        Ok(twin)
    }
}

impl Resource {
    const fn needs(&self, side: Side) -> bool {
        match side {
            Side::Request => self.needs_request,
            Side::Limit => self.needs_limit,
        }
    }

    /// [`Resource::judge_side`] in CEL.
    fn and_check(&self, side: Side, exempt: &str, twin: CelTwin) -> CelTwin {
        let (name, noun, bounds) = (&self.name, side.noun(), &self.container);
        let written = |holder: &str, field: &str| format!("{holder}.?resources.?{field}[?{}]", twin::quoted(name));
        let effective = |holder: &str| match side {
            Side::Request => format!("{}.or({})", written(holder, "requests"), written(holder, "limits")),
            Side::Limit => written(holder, "limits"),
        };
        let found = format!("string({}.orValue(''))", effective("c.it"));
        let amount = |holder: &str| format!("quantity(string({}.orValue('0')))", effective(holder));
        let own = amount("c.it");
        let range = match side {
            Side::Request => &bounds.request,
            Side::Limit => &bounds.limit,
        };
        let below = range.min.as_ref().map(|min| format!("{own}.isLessThan(quantity('{min}'))"));
        let above = range.max.as_ref().map(|max| format!("{own}.isGreaterThan(quantity('{max}'))"));
        let outside: Vec<String> = below.into_iter().chain(above).collect();
        let needs = self.needs(side) || bounds.forbids_none(side);
        if !needs && outside.is_empty() {
            return twin;
        }
        let missing =
            if needs { format!("{}.compareTo(quantity('0')) == 0", amount("#spec")) } else { "false".to_owned() };
        let outside = if outside.is_empty() { "false".to_owned() } else { outside.join(" || ") };
        let is_wrong = format!(
            "!c.at.startsWith('ephemeralContainers[') && ({own}.compareTo(quantity('0')) == 0 ? {missing} : ({outside})){exempt}"
        );
        let findings = twin::containers_with(&is_wrong, &format!("resources.{}[{name}]", side.field()), &found);
        twin.and(findings, format!("a {name} {noun} is missing or out of range: set one{}", bounds.accepted(side)))
    }

    fn judge_container(&self, spec: Node<'_>, container: Node<'_>, place: &Path<'_>, report: &mut Report<'_>) {
        for side in [Side::Request, Side::Limit] {
            self.judge_side(side, spec, container, place, report);
        }
        if let Some(ratio) = self
            .container
            .ratio_between(amount(container, Side::Request, &self.name), amount(container, Side::Limit, &self.name))
        {
            let limit = written(container, Side::Limit, &self.name).unwrap_or_default();
            let shown = report.show("resources", limit);
            let message = format!("{} limit {shown} is more than {ratio} times the request", self.name);
            report.finding(&place.key("limits").key(&self.name), limit, message);
        }
    }

    fn judge_side(&self, side: Side, spec: Node<'_>, container: Node<'_>, place: &Path<'_>, report: &mut Report<'_>) {
        let (name, noun) = (&self.name, side.noun());
        let found = effective(container, side, name).unwrap_or_default();
        let list = place.key(side.field());
        let path = list.key(name);
        match amount(container, side, name) {
            Some(amount) => {
                if let Some(problem) = self.container.problem(side, &amount) {
                    let shown = report.show("resources", found);
                    report.finding(&path, found, format!("{name} {noun} {shown} is {problem}"));
                }
            }
            None if is_broken(found) => {
                let shown = report.show("resources", found);
                report.finding(&path, found, format!("{name} {noun} {shown} is no quantity"));
            }
            None => {
                let is_shared = amount(spec, side, name).is_some();
                if !is_shared && (self.needs(side) || self.container.forbids_none(side)) {
                    let bounds = self.container.accepted(side);
                    report.finding(&path, found, format!("the container has no {name} {noun}: set one{bounds}"));
                }
            }
        }
    }

    fn judge_pod(&self, subject: Subject<'_, '_>, spec: Node<'_>, place: &Path<'_>, report: &mut Report<'_>) {
        if self.pod.is_empty() {
            return;
        }
        let sum = |side| match amount(spec, side, &self.name) {
            Some(own) => Total::Amount(own),
            None => total(spec, side, &self.name),
        };
        let (request, limit) = (sum(Side::Request), sum(Side::Limit));
        let name = &self.name;
        for (side, total) in [(Side::Request, &request), (Side::Limit, &limit)] {
            let list = place.key(side.field());
            let (path, noun) = (list.key(name), side.noun());
            match total {
                Total::Amount(amount) => {
                    if let Some(problem) = self.pod.problem(side, amount) {
                        // The sum stands nowhere in the object: it becomes the finding's value, so that a change is one.
                        let value = Node::string(subject.arena().text(&amount.to_string()));
                        report.finding(
                            &path,
                            value,
                            format!("the pod's {name} {noun} of {amount} in all is {problem}"),
                        );
                    }
                }
                Total::Unbounded if self.pod.forbids_none(side) => {
                    let bounds = self.pod.accepted(side);
                    let message = format!("the pod has no {name} limit in all: set one for each container{bounds}");
                    report.finding(&path, Node::NULL, message);
                }
                Total::Unbounded => {}
            }
        }
        if let (Total::Amount(request), Total::Amount(limit)) = (request, limit)
            && let Some(ratio) = self.pod.ratio_between(Some(request), Some(limit.clone()))
        {
            let value = Node::string(subject.arena().text(&limit.to_string()));
            let message = format!("the pod's {name} limit of {limit} in all is more than {ratio} times the request");
            report.finding(&place.key("limits").key(name), value, message);
        }
    }
}

/// Whether something stands there that is no quantity.
fn is_broken(found: Node<'_>) -> bool {
    !found.is_null() && Quantity::read(found).is_err()
}

impl Validate for ResourceRequirements {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        let spec = pod.spec();
        self.exempt.visit_containers(&pod, |container| {
            if container.list != ContainerList::Ephemeral {
                let place = container.path.key("resources");
                self.resources
                    .iter()
                    .for_each(|resource| resource.judge_container(spec, container.node, &place, report));
            }
        });
        pod.with_spec_path(|spec_path| {
            let place = spec_path.key("resources");
            self.resources.iter().for_each(|resource| resource.judge_pod(subject, spec, &place, report));
        });
    }
}
