//! What the command line says about all requests.

use admittance_engine::json::Arena;
use admittance_engine::review::{Operation, sent};

/// What is asked of the API server. AdmissionReviews speak for themselves.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is done with the objects.
    pub operation: Operation,
    /// Who does it.
    pub user: String,
    /// The user's groups.
    pub groups: Vec<String>,
    /// Where objects go that name no namespace.
    pub namespace: String,
}

impl Asked {
    /// The same for one request.
    pub fn of<'a>(&'a self, arena: &'a Arena) -> sent::Asked<'a> {
        let user = sent::user(arena, &self.user, self.groups.iter().map(String::as_str));
        sent::Asked::new(self.operation, user, &self.namespace)
    }
}
