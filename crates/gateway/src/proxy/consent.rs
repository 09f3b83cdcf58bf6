//! Whether whoever a request is about agreed to what it is used for (GOV-14).

use http::HeaderMap;

use super::exchange::{Exchange, Stop};
use crate::{
    endpoint::Endpoint,
    fault::{Fault, FaultKind},
    record::Label,
    wire::{Edits, Request},
};

impl Exchange {
    /// Refuses the request, or keeps it out of purposes, as the rules say.
    pub(super) async fn check_consent(
        &mut self,
        request: &Request,
        headers: &HeaderMap,
    ) -> Result<(), Stop> {
        let (rules, gateway) = (&self.engine.consent, &self.gateway);
        if rules.is_empty() && gateway.keeper.is_none() {
            return Ok(());
        }
        // Rules that came with a reload need the key of the start.
        let Some(desk) = &gateway.consent else {
            return Err(Stop::rejected(Fault::new(
                FaultKind::Unavailable,
                "consent_unavailable",
                "the record of consent cannot be read now",
            )));
        };
        self.subject = desk.subject(rules, &self.principal, headers, request.user());
        let subject = self.subject.as_ref();
        let now = gateway.clock.unix_ms();
        let excluded = desk.ask(rules, subject, request.model(), now).await;
        let excluded = excluded.map_err(Stop::rejected)?.into_iter();
        self.interaction.excluded = excluded.map(|name| Label::Known(name.into())).collect();
        Ok(())
    }

    /// Tells the upstream to store nothing of a request that is kept out of a purpose. The Responses
    /// API stores unless it is told not to.
    pub(super) fn leave_nothing(&self, request: &Request, edits: &mut Edits<'_>) {
        let stores = match self.endpoint {
            Endpoint::Responses => request.state().store != Some(false),
            Endpoint::ChatCompletions => edits.has("store"),
            _ => false,
        };
        if stores && !self.interaction.excluded.is_empty() {
            edits.set("store", &false.into());
        }
    }
}
