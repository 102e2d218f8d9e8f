//! What the API server itself counts of webhooks.

use crate::api::Api;

/// Since it started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) started: f64,
    /// Requests that it refused because a webhook could not be asked or answered nonsense.
    pub(crate) failed: f64,
    /// Requests that it let pass for the same reason.
    pub(crate) failed_open: f64,
}

impl Counted {
    /// What it counts now.
    pub(crate) fn read(api: Api) -> Result<Self, String> {
        let answer = api.get("/metrics");
        if !answer.is_good() {
            return Err(format!("the API server's metrics cannot be read: {}", answer.message()));
        }
        Ok(Self::parse(&answer.text))
    }

    fn parse(page: &str) -> Self {
        let mut counted = Self::default();
        for line in page.lines() {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let value: f64 = value.parse().unwrap_or(0.0);
            if series == "process_start_time_seconds" {
                counted.started = value;
            }
            if !series.contains(".admittance.dev\"") {
                continue;
            }
            if series.starts_with("apiserver_admission_webhook_rejection_count{")
                && !series.contains("error_type=\"no_error\"")
            {
                counted.failed += value;
            }
            if series.starts_with("apiserver_admission_webhook_fail_open_count{") {
                counted.failed_open += value;
            }
        }
        counted
    }

    /// What was counted since `before`; by a new process, all that it has counted.
    pub(crate) fn since(self, before: Self) -> Self {
        if (self.started - before.started).abs() > 0.5 {
            return self;
        }
        Self {
            started: self.started,
            failed: self.failed - before.failed,
            failed_open: self.failed_open - before.failed_open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"# HELP apiserver_admission_webhook_fail_open_count x
apiserver_admission_webhook_fail_open_count{name="mutate.admittance.dev",type="admit"} 3
apiserver_admission_webhook_fail_open_count{name="other.example",type="admit"} 9
apiserver_admission_webhook_rejection_count{error_type="calling_webhook_error",name="validate.admittance.dev",operation="CREATE",rejection_code="0",type="validating"} 2
apiserver_admission_webhook_rejection_count{error_type="no_error",name="validate.admittance.dev",operation="CREATE",rejection_code="403",type="validating"} 70
process_start_time_seconds 1.7e+09
"#;

    #[test]
    fn counts_failed_calls_of_this_webhook_and_no_denials() {
        let counted = Counted::parse(PAGE);
        assert_eq!(format!("{counted:?}"), "Counted { started: 1700000000.0, failed: 2.0, failed_open: 3.0 }");
        assert_eq!(
            format!("{:?}", counted.since(counted)),
            "Counted { started: 1700000000.0, failed: 0.0, failed_open: 0.0 }"
        );
        let earlier = Counted { started: 1.6e9, failed: 50.0, failed_open: 50.0 };
        assert_eq!(format!("{:?}", counted.since(earlier)), format!("{counted:?}"));
    }
}
