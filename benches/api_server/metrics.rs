//! What the API server itself measures, read from its page of metrics.

use crate::configuration::Configuration;

/// What it has measured up to a moment, or between two.
pub(crate) struct Snapshot {
    /// Creates of pods, dry run, from the first byte read to the answer.
    pub(crate) request: Histogram,
    /// The admission plugin that does what the configuration adds: all policies or all webhooks, conversions included.
    ///
    /// `apiserver_validating_admission_policy_check_duration_seconds` cannot take its place: the API server observes
    /// there only policies that refuse or fail, not those that pass.
    pub(crate) admission: Histogram,
    /// Calls of webhooks.
    pub(crate) webhook: Histogram,
    /// Its policies' refusals.
    pub(crate) refusals: f64,
}

impl Snapshot {
    pub(crate) fn read(page: &str, configuration: Configuration) -> Self {
        let request = [("resource", "pods"), ("subresource", ""), ("verb", "POST"), ("dry_run", "All")];
        let plugin =
            [("name", configuration.plugin().unwrap_or("none")), ("operation", "CREATE"), ("type", "validate")];
        let refusals = Histogram::read(
            page,
            "apiserver_validating_admission_policy_check_duration_seconds",
            &[("enforcement_action", "deny")],
        );
        Self {
            request: Histogram::read(page, "apiserver_request_duration_seconds", &request),
            admission: Histogram::read(page, "apiserver_admission_controller_admission_duration_seconds", &plugin),
            webhook: Histogram::read(
                page,
                "apiserver_admission_webhook_admission_duration_seconds",
                &[("type", "validating")],
            ),
            refusals: refusals.count,
        }
    }

    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            request: self.request.since(&earlier.request),
            admission: self.admission.since(&earlier.admission),
            webhook: self.webhook.since(&earlier.webhook),
            refusals: self.refusals - earlier.refusals,
        }
    }
}

/// A Prometheus histogram of seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Histogram {
    /// Upper bounds, ascending, with the count of what is not above them.
    buckets: Vec<(f64, f64)>,
    sum: f64,
    count: f64,
}

impl Histogram {
    /// The sum of all series of this name that have all of these labels.
    fn read(page: &str, name: &str, labels: &[(&str, &str)]) -> Self {
        let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        let mut read = Self::default();
        for line in page.lines() {
            let Some((kind, rest)) = line.strip_prefix(name).and_then(|rest| rest.split_once('{')) else { continue };
            let Some((has, value)) = rest.rsplit_once("} ") else { continue };
            let has: Vec<&str> = has.split(',').collect();
            let Ok(value) = value.trim().parse::<f64>() else { continue };
            if !labels.iter().all(|label| has.contains(&label.as_str())) {
                continue;
            }
            match kind {
                "_sum" => read.sum += value,
                "_count" => read.count += value,
                "_bucket" => {
                    let bound = has.iter().find_map(|label| label.strip_prefix("le=\"")?.strip_suffix('"'));
                    // Rust reads "+Inf", too.
                    let Some(Ok(bound)) = bound.map(str::parse::<f64>) else { continue };
                    match read.buckets.binary_search_by(|(other, _)| other.total_cmp(&bound)) {
                        Ok(at) => read.buckets.get_mut(at).into_iter().for_each(|(_, count)| *count += value),
                        Err(at) => read.buckets.insert(at, (bound, value)),
                    }
                }
                _ => {}
            }
        }
        read
    }

    fn since(&self, earlier: &Self) -> Self {
        let before = |bound: f64| {
            let same = earlier.buckets.iter().find(|(other, _)| other.total_cmp(&bound).is_eq());
            same.map_or(0.0, |(_, count)| *count)
        };
        Self {
            buckets: self.buckets.iter().map(|&(bound, count)| (bound, count - before(bound))).collect(),
            sum: self.sum - earlier.sum,
            count: self.count - earlier.count,
        }
    }

    pub(crate) fn count(&self) -> f64 {
        self.count
    }

    /// In seconds.
    pub(crate) fn mean(&self) -> f64 {
        self.sum / self.count
    }

    /// In seconds, interpolated within a bucket as Prometheus' `histogram_quantile` does; what is above the last finite
    /// bound is taken for that bound. The API server's buckets are wide: 5, 25, 100, 500 ms for admission.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let rank = part * self.count;
        let (mut lower, mut below) = (0.0, 0.0);
        for &(bound, count) in &self.buckets {
            if count >= rank {
                let is_finite = bound.is_finite() && count > below;
                return if is_finite { lower + (bound - lower) * (rank - below) / (count - below) } else { lower };
            }
            (lower, below) = (bound, count);
        }
        f64::NAN
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "figures that are exact")]
mod tests {
    use super::*;

    const PAGE: &str = r#"# TYPE took_seconds histogram
took_seconds_bucket{name="a",rejected="false",le="0.005"} 50
took_seconds_bucket{name="a",rejected="false",le="0.025"} 90
took_seconds_bucket{name="a",rejected="false",le="+Inf"} 100
took_seconds_sum{name="a",rejected="false"} 1.5
took_seconds_count{name="a",rejected="false"} 100
took_seconds_bucket{name="a",rejected="true",le="0.005"} 100
took_seconds_bucket{name="a",rejected="true",le="0.025"} 100
took_seconds_bucket{name="a",rejected="true",le="+Inf"} 100
took_seconds_sum{name="a",rejected="true"} 0.5
took_seconds_count{name="a",rejected="true"} 100
took_seconds_count{name="ab",rejected="true"} 7
took_seconds_count_of_others{name="a"} 7
"#;

    #[test]
    fn adds_up_the_series_that_have_the_labels() {
        let all = Histogram::read(PAGE, "took_seconds", &[("name", "a")]);
        let expected = vec![(0.005, 150.0), (0.025, 190.0), (f64::INFINITY, 200.0)];
        assert_eq!(all, Histogram { buckets: expected, sum: 2.0, count: 200.0 });
        assert_eq!(all.mean(), 0.01);
        assert_eq!(Histogram::read(PAGE, "took_seconds", &[("name", "b")]), Histogram::default());
    }

    #[test]
    fn takes_what_was_before_away() {
        let all = Histogram::read(PAGE, "took_seconds", &[("name", "a")]);
        let passed = Histogram::read(PAGE, "took_seconds", &[("rejected", "false")]);
        assert_eq!(all.since(&passed), Histogram::read(PAGE, "took_seconds", &[("name", "a"), ("rejected", "true")]));
        assert_eq!(all.since(&Histogram::default()), all);
    }

    #[test]
    fn interpolates_within_a_bucket() {
        let passed = Histogram::read(PAGE, "took_seconds", &[("rejected", "false")]);
        assert_eq!(passed.quantile(0.25), 0.0025);
        assert_eq!(passed.quantile(0.5), 0.005);
        assert_eq!(passed.quantile(0.7), 0.015);
        assert_eq!(passed.quantile(0.99), 0.025);
        assert!(Histogram::default().quantile(0.5).is_nan());
    }
}
