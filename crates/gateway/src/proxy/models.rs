//! Which models there are.

use bartizan_access::{Permission, Resource, ResourceKind};
use http::{HeaderMap, Response, StatusCode};

use super::{exchange::Exchange, output::json_response};
use crate::{
    body::Body,
    endpoint::{Dialect, Endpoint},
    fault::{Fault, FaultKind},
    record::Outcome,
    wire::{self, models},
};

impl Exchange {
    /// Whether the access policy lets this principal know of a model.
    fn may_see(&self, model: &str) -> bool {
        let resource = Resource::new(ResourceKind::Model, model);
        let now = self.gateway.clock().unix_ms();
        let (engine, who) = (&self.engine, &self.principal);
        engine
            .right(who, Permission::ModelRead, &resource, now)
            .is_allowed()
    }

    /// Answers `GET /v1/models` and `GET /v1/models/{model}` with what this principal may use.
    pub(super) async fn list_models(mut self, path: &str, dialect: Dialect) -> Response<Body> {
        let open = self.engine.upstreams.models().await;
        let listed: Vec<models::Model<'_>> = open
            .iter()
            .filter(|model| self.principal.may_use(&model.id) && self.may_see(&model.id))
            .map(|model| models::Model {
                name: &model.id,
                owner: &model.upstream,
            })
            .collect();
        let answer = if self.endpoint == Endpoint::Models {
            Some(models::list(&listed, dialect))
        } else {
            let wanted = path.split_once("/models/").map_or("", |(_, name)| name);
            let found = listed.iter().find(|model| model.name == wanted);
            found.map(|model| models::one(model, dialect))
        };
        let response = match answer {
            Some(answer) => {
                self.interaction.outcome = Outcome::Answered;
                json_response(StatusCode::OK, HeaderMap::new(), answer.to_string().into())
            }
            None => {
                let fault = Fault::new(
                    FaultKind::NotFound,
                    "model_not_found",
                    "there is no such model, or it is not open to this key",
                );
                self.interaction.outcome = Outcome::Rejected;
                wire::fault(&fault, dialect, &self.slot.request_id().to_string())
            }
        };
        self.close(response).await
    }
}
