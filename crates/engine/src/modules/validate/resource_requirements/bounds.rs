//! What an amount is held to.

use std::cmp::Ordering;

use crate::kubernetes::quantity::Quantity;
use crate::kubernetes::resources::Side;

/// Bounds of one resource, of a container or of a pod.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    pub(super) request: Range,
    pub(super) limit: Range,
    /// How many times the request the limit may be.
    pub(super) ratio: Option<Quantity>,
}

/// A lowest and a highest amount.
#[derive(Debug, Default)]
pub(super) struct Range {
    pub(super) min: Option<Quantity>,
    pub(super) max: Option<Quantity>,
}

impl Bounds {
    pub(super) fn is_empty(&self) -> bool {
        self.request.is_empty() && self.limit.is_empty() && self.ratio.is_none()
    }

    const fn range(&self, side: Side) -> &Range {
        match side {
            Side::Request => &self.request,
            Side::Limit => &self.limit,
        }
    }

    /// What is wrong with the amount; None if nothing is.
    pub(super) fn problem(&self, side: Side, amount: &Quantity) -> Option<String> {
        let Range { min, max } = self.range(side);
        let below = min.as_ref().filter(|min| amount < *min).map(|min| format!("below the minimum of {min}"));
        below.or_else(|| max.as_ref().filter(|max| amount > *max).map(|max| format!("above the maximum of {max}")))
    }

    /// Whether an amount must be there: nothing requested is below any minimum and in no ratio, no limit is above any
    /// maximum.
    pub(super) fn forbids_none(&self, side: Side) -> bool {
        match side {
            Side::Request => self.request.min.is_some() || self.ratio.is_some(),
            Side::Limit => self.limit.max.is_some() || self.ratio.is_some(),
        }
    }

    /// For messages: `, at least 16Mi and at most 1Gi`, or nothing.
    pub(super) fn accepted(&self, side: Side) -> String {
        match self.range(side) {
            Range { min: Some(min), max: Some(max) } => format!(", at least {min} and at most {max}"),
            Range { min: Some(min), max: None } => format!(", at least {min}"),
            Range { min: None, max: Some(max) } => format!(", at most {max}"),
            Range { min: None, max: None } => String::new(),
        }
    }

    /// The highest ratio, if the limit is beyond it. Without one of the two there is no ratio.
    pub(super) fn ratio_between(&self, request: Option<Quantity>, limit: Option<Quantity>) -> Option<&Quantity> {
        let (request, limit, ratio) = (request?, limit?, self.ratio.as_ref()?);
        (limit.cmp_product(&request, ratio) == Ordering::Greater).then_some(ratio)
    }
}

impl Range {
    fn is_empty(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }
}
