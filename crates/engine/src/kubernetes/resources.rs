//! Requests and limits: of a container, of a pod's own `resources`, and what a whole pod comes to.
//!
//! Sources: core/v1 ResourceRequirements; pkg/apis/core/v1, `SetDefaults_Pod`; k8s.io/component-helpers,
//! `resource.AggregateContainerRequests` and `AggregateContainerLimits`.

use super::lifetime::is_sidecar;
use super::pod::ContainerList;
use super::quantity::Quantity;
use crate::json::Node;

/// What the scheduler sets aside, or what the kubelet holds a container to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `requests`
    Request,
    /// `limits`
    Limit,
}

impl Side {
    /// The field of `resources`.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Request => "requests",
            Self::Limit => "limits",
        }
    }

    /// For messages.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Limit => "limit",
        }
    }
}

/// The amount in the `resources` of a container, or of a pod's spec; None where it is absent or null.
pub fn written<'a>(holder: Node<'a>, side: Side, resource: &str) -> Option<Node<'a>> {
    holder.at(&["resources", side.field(), resource])
}

/// The same as the API server fills it in for pods: a container that has a limit and no request requests its limit.
/// Templates stay as they are written, but the pods that are made of them do not.
pub fn effective<'a>(holder: Node<'a>, side: Side, resource: &str) -> Option<Node<'a>> {
    let own = written(holder, side, resource);
    if side == Side::Request { own.or_else(|| written(holder, Side::Limit, resource)) } else { own }
}

/// The amount, unless it is none: absent, no quantity, or zero (a limit of zero is no limit).
pub fn amount(holder: Node<'_>, side: Side, resource: &str) -> Option<Quantity> {
    let amount = Quantity::read(effective(holder, side, resource)?).ok()?;
    (!amount.is_zero()).then_some(amount)
}

/// What all containers of a pod come to: regular containers and native sidecars together, or an init container and the
/// sidecars that run beside it, if that is more. Overhead of a RuntimeClass is not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    /// So much.
    Amount(Quantity),
    /// A container has no limit.
    Unbounded,
}

/// The total of a pod's containers. A container without a request requests nothing.
pub fn total(spec: Node<'_>, side: Side, resource: &str) -> Total {
    let mut unbounded = false;
    let mut read = |container: &Node<'_>| {
        amount(*container, side, resource).unwrap_or_else(|| {
            unbounded |= side == Side::Limit;
            Quantity::from(0)
        })
    };
    let mut running = spec.items_of(ContainerList::Regular.field()).iter().fold(Quantity::from(0), |sum, container| {
        let amount = read(container);
        sum.plus(&amount)
    });
    let (mut sidecars, mut most) = (Quantity::from(0), Quantity::from(0));
    for container in spec.items_of(ContainerList::Init.field()) {
        let amount = read(container);
        let beside = sidecars.plus(&amount);
        if is_sidecar(ContainerList::Init, *container) {
            running = running.plus(&amount);
            sidecars = beside.clone();
        }
        most = most.max(beside);
    }
    if unbounded { Total::Unbounded } else { Total::Amount(running.max(most)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn takes_the_limit_for_the_request_as_the_api_server_does() {
        let arena = Arena::with_limit(1 << 20);
        let node =
            read(&arena, r#"{"resources":{"limits":{"cpu":"2","memory":0},"requests":{"memory":"1Gi"}}}"#).unwrap();
        assert_eq!(amount(node, Side::Request, "cpu"), Some(quantity("2")));
        assert_eq!(amount(node, Side::Request, "memory"), Some(quantity("1Gi")));
        assert_eq!(amount(node, Side::Limit, "memory"), None);
        assert_eq!(amount(node, Side::Request, "ephemeral-storage"), None);
        assert!(written(node, Side::Request, "cpu").is_none());
    }

    #[test]
    fn adds_up_what_runs_at_the_same_time() {
        let arena = Arena::with_limit(1 << 20);
        let container = |cpu: &str, more: &str| format!(r#"{{"resources":{{"limits":{{"cpu":"{cpu}"}}}}{more}}}"#);
        let sidecar = r#","restartPolicy":"Always""#;
        let total_of = |init: &[String], regular: &[String]| {
            let text = format!(r#"{{"initContainers":[{}],"containers":[{}]}}"#, init.join(","), regular.join(","));
            (
                total(read(&arena, &text).unwrap(), Side::Request, "cpu"),
                total(read(&arena, &text).unwrap(), Side::Limit, "cpu"),
            )
        };
        let both = |text| (Total::Amount(quantity(text)), Total::Amount(quantity(text)));
        let pair = [container("1", ""), container("500m", "")];
        assert_eq!(total_of(&[], &pair), both("1500m"));
        assert_eq!(total_of(&[container("4", "")], &pair), both("4"));
        assert_eq!(total_of(&[container("1", sidecar), container("1", "")], &pair), both("2500m"));
        assert_eq!(total_of(&[container("1", sidecar), container("2", "")], &pair), both("3"));
        assert_eq!(total_of(&[container("2", ""), container("1", sidecar)], &pair), both("2500m"));
        let missing = total_of(&[], &[container("1", ""), "{}".to_owned()]);
        assert_eq!(missing, (Total::Amount(quantity("1")), Total::Unbounded));
    }
}
