//! How a case is asked of an API server.

use admittance_engine::kubernetes::kinds::Kinds;
use hyper::StatusCode;
use serde_json::{Value, json};

use super::api::{Answer, Api};
use super::objects;
use crate::case::Case;

/// A case on its way to an API server.
#[derive(Clone)]
pub(super) struct Asking<'c> {
    pub(super) case: &'c Case,
    /// The namespace that has to be there; empty for cluster-scoped objects.
    pub(super) namespace: String,
    /// `/api/v1/namespaces/default/pods`
    collection: String,
}

impl<'c> Asking<'c> {
    pub(super) fn new(case: &'c Case, kinds: &Kinds) -> Self {
        let shown = if case.object.is_null() { &case.old_object } else { &case.object };
        let (collection, namespace) = objects::collection(case, kinds, shown);
        Self { case, namespace: namespace.unwrap_or_default(), collection }
    }

    /// The path of the object.
    pub(super) fn path(&self) -> String {
        let case = self.case;
        let shown = if case.object.is_null() { &case.old_object } else { &case.object };
        format!("{}/{}", self.collection, shown["metadata"]["name"].as_str().unwrap())
    }

    /// A client of the one who asks.
    pub(super) fn asker(&self, api: &Api) -> Api {
        let request = &self.case.request;
        let masters = ["system:masters", "system:authenticated"].map(str::to_owned);
        api.speaking_as(request.user.as_deref().unwrap_or("admin"), request.groups.as_deref().unwrap_or(&masters))
    }

    /// Asks for a dry run of the case with this object in the place of its own.
    pub(super) async fn ask(&self, asker: &Api, object: &Value) -> Answer {
        let subresource = &self.case.request.subresource;
        let slash = if subresource.is_empty() { "" } else { "/" };
        let path = format!("{}{slash}{subresource}?dryRun=All", self.path());
        match self.case.operation() {
            "CREATE" => asker.post(&format!("{}?dryRun=All", self.collection), object).await,
            "UPDATE" => asker.put(&path, object).await,
            "DELETE" => asker.delete(&path).await,
            other => panic!("{}: no case asks for {other}", self.case.name),
        }
    }

    /// Stores the old object, if there is one; or says why the API server refused it.
    pub(super) async fn store(&self, api: &Api) -> Result<(), String> {
        if self.case.old_object.is_null() {
            return Ok(());
        }
        let mut stored = self.case.old_object.clone();
        // A pod cannot be created with them.
        let ephemeral = stored["spec"].as_object_mut().and_then(|spec| spec.remove("ephemeralContainers"));
        let mut answers = vec![api.post(&self.collection, &stored).await];
        if answers[0].status == StatusCode::CONFLICT {
            // A namespace stays where no controller empties it.
            answers = vec![api.put(&self.path(), &stored).await];
        }
        if let Some(containers) = ephemeral {
            let patch = json!({"spec": {"ephemeralContainers": containers}});
            answers.push(api.patch(&format!("{}/ephemeralcontainers", self.path()), &patch).await);
        }
        let refused = answers.into_iter().find(|answer| !answer.status.is_success());
        refused.map_or(Ok(()), |answer| Err(format!("its old object cannot be stored: {}", answer.text)))
    }

    /// Takes the old object away.
    pub(super) async fn take_away(&self, api: &Api) {
        if !self.case.old_object.is_null() && self.collection != "/api/v1/namespaces" {
            let path = format!("{}?gracePeriodSeconds=0&propagationPolicy=Background", self.path());
            api.delete(&path).await;
        }
    }
}
