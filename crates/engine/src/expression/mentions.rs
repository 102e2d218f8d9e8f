//! What expressions mention: names of fields, texts and numbers. Objects that are made of these are objects that matter to the
//! expressions.

use std::collections::BTreeSet;

use super::policy::CelPolicy;
use crate::cel::syntax::{ExprKind, Literal};
use crate::rule::Mentions;

impl CelPolicy {
    /// All of it, without repetition. A text that is a JSON pointer stands for the names in it.
    pub fn mentions(&self) -> Mentions {
        let (mut fields, mut texts, mut numbers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for expression in self.programs().flat_map(|program| program.ast().iter()) {
            match &expression.kind {
                ExprKind::Select { field, .. } => drop(fields.insert(field.to_string())),
                ExprKind::Struct { fields: named, .. } => fields.extend(named.iter().map(|one| one.name.to_string())),
                ExprKind::Literal(Literal::Int(number)) => drop(numbers.insert(*number)),
                ExprKind::Literal(Literal::String(text)) if text.starts_with('/') => {
                    let parts = text.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
                    fields.extend(parts.filter(|part| !part.is_empty() && part != "-"));
                }
                ExprKind::Literal(Literal::String(text)) => drop(texts.insert(text.to_string())),
                _ => {}
            }
        }
        Mentions {
            fields: fields.into_iter().collect(),
            texts: texts.into_iter().collect(),
            numbers: numbers.into_iter().collect(),
        }
    }
}
