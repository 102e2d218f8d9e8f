//! `spec.onDrift` and `spec.required`: what is done where what a policy changed is not in the final object.

use crate::document::{Decoder, Fields, Located, Spanned};
use crate::verdict::OnDrift;

/// The two fields as they are written.
pub(super) struct Survival<'t> {
    on_drift: Option<Located<&'t Spanned>>,
    required: Option<Located<bool>>,
}

impl<'t> Survival<'t> {
    pub(super) fn read(fields: &mut Fields<'_, 't>) -> Self {
        Self { on_drift: fields.optional("onDrift"), required: fields.optional("required") }
    }

    /// What they say together. A denial must be meant: it takes both fields, and one without the other is an error.
    pub(super) fn checked(&self, decoder: &Decoder) -> Option<OnDrift> {
        let choices = [("Report", OnDrift::Report), ("Warn", OnDrift::Warn), ("Deny", OnDrift::Deny)];
        let on_drift = match &self.on_drift {
            None => OnDrift::default(),
            Some(written) => decoder.choice(written.value, &choices)?,
        };
        let required = self.required.as_ref().filter(|required| required.value);
        match (on_drift, required, &self.on_drift) {
            (OnDrift::Deny, None, Some(written)) => {
                let message = "`onDrift: Deny` refuses requests: write `required: true` as well, or Report or Warn";
                decoder.error(written.span.clone(), message);
                None
            }
            (OnDrift::Report | OnDrift::Warn, Some(required), _) => {
                let message = "`required: true` does nothing by itself: write `onDrift: Deny` as well, or leave it out";
                decoder.error(required.span.clone(), message);
                None
            }
            _ => Some(on_drift),
        }
    }

    /// Both are wrong in a policy that judges.
    pub(super) fn reject(&self, decoder: &Decoder, who: &str) {
        let fields = [
            ("onDrift", self.on_drift.as_ref().map(|field| &field.span)),
            ("required", self.required.as_ref().map(|field| &field.span)),
        ];
        for (name, span) in fields {
            if let Some(span) = span {
                decoder.error(span.clone(), format!("`{name}` is for policies that change objects, `{who}` judges"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::document::SourceFile;
    use crate::unit::{Unit, compile};
    use crate::verdict::OnDrift;

    fn read(spec: &str) -> Result<Option<OnDrift>, Vec<String>> {
        let text = format!(
            "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: a }}\nspec:\n  module: {spec}\n"
        );
        let compiled = compile(&Unit::of_file(SourceFile::new("a.yaml", text)));
        let compiled = compiled.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        Ok(compiled.mutators.first().and_then(|mutator| mutator.on_drift))
    }

    #[test]
    fn accepts_denials_that_are_meant_and_reports_by_default() {
        let module = "set-image-pull-policy\n";
        assert_eq!(read(module), Ok(Some(OnDrift::Report)));
        assert_eq!(read(&format!("{module}  onDrift: Warn\n  required: false")), Ok(Some(OnDrift::Warn)));
        assert_eq!(read(&format!("{module}  onDrift: Deny\n  required: true")), Ok(Some(OnDrift::Deny)));
        assert_eq!(read(&format!("{module}  actions: [Audit]\n  onDrift: Warn")), Ok(Some(OnDrift::Warn)));
    }

    #[test]
    fn rejects_half_of_a_denial_and_policies_that_judge() {
        let refused = |spec: &str| read(spec).unwrap_err();
        assert_eq!(
            refused("set-image-pull-policy\n  onDrift: Deny"),
            ["a.yaml:6:12: error: `onDrift: Deny` refuses requests: write `required: true` as well, or Report or Warn"]
        );
        assert_eq!(
            refused("set-image-pull-policy\n  required: true"),
            [
                "a.yaml:6:13: error: `required: true` does nothing by itself: write `onDrift: Deny` as well, or leave it out"
            ]
        );
        assert_eq!(
            refused("set-image-pull-policy\n  onDrift: Refuse"),
            ["a.yaml:6:12: error: unknown value `Refuse`, expected one of `Report`, `Warn`, `Deny`"]
        );
        assert_eq!(
            refused("latest-tag\n  onDrift: Warn\n  required: true"),
            [
                "a.yaml:6:12: error: `onDrift` is for policies that change objects, `latest-tag` judges",
                "a.yaml:7:13: error: `required` is for policies that change objects, `latest-tag` judges"
            ]
        );
    }
}
