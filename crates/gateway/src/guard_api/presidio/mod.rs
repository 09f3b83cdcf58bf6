//! Presidio's analyzer and anonymizer: `/analyze`, `/anonymize`, `/deanonymize`, and their lists.
//! Places are code points, as Python counts them.

mod ad_hoc;
mod analyze;
mod anonymize;
mod operator;

pub(super) use analyze::{
    ANALYZE, AnalyzeRequest, Found, RECOGNIZERS, SUPPORTED_ENTITIES, analyze, recognizers,
    supported_entities,
};
pub(super) use anonymize::{
    ANONYMIZE, ANONYMIZERS, AnonymizeRequest, Anonymized, DEANONYMIZE, DEANONYMIZERS,
    DeanonymizeRequest, anonymize, anonymizers, deanonymize, deanonymizers,
};
