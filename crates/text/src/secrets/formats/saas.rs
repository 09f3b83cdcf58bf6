//! Monitoring, productivity, and other services.

use super::{Grow, SecretFormat, base64_any, token};
use crate::secrets::proof;

pub(super) static FORMATS: &[SecretFormat] = &[
    token(
        "secret.grafana-token",
        "GRAFANA_TOKEN",
        "a Grafana token",
        &["glc_", "glsa_"],
        r"(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/=_-]{32,250})",
    )
    .longest(300),
    token(
        "secret.grafana-api-key",
        "GRAFANA_TOKEN",
        "a Grafana API key",
        &["eyJrIjoi"],
        r"eyJrIjoi[A-Za-z0-9+/_-]{60}",
    )
    .grow(Grow::Right { class: base64_any, max: 400 }),
    token(
        "secret.new-relic-key",
        "NEW_RELIC_KEY",
        "a New Relic key",
        &["NRAK-", "NRII-", "NRIQ-", "NRRA-", "NRJS-", "NRSP-"],
        r"NR(?:AK|II|IQ|RA|JS|SP)-[A-Za-z0-9_-]{19,44}",
    ),
    token(
        "secret.sentry-token",
        "SENTRY_TOKEN",
        "a Sentry token",
        &["sntrys_", "sntryu_", "sntrya_"],
        r"sntry[sua]_[A-Za-z0-9+/=_-]{40}",
    )
    .grow(Grow::Right { class: base64_any, max: 400 }),
    // The public half of a DSN reports events; the old format also holds a secret half.
    token(
        "secret.sentry-dsn",
        "SENTRY_DSN",
        "a Sentry DSN",
        &["https://"],
        r"https://[a-f0-9]{32}(?::[a-f0-9]{32})?@[a-z0-9.-]{1,60}(?:sentry\.io|sentry\.[a-z0-9.-]{2,40})/\d{1,20}",
    )
    .confidence(0.8),
    token(
        "secret.honeycomb-key",
        "HONEYCOMB_KEY",
        "a Honeycomb key",
        &["hcaik_", "hcbik_", "hcxik_", "hcxmk_", "hcalk_", "hcamk_"],
        r"hc[abx](?:ik|mk|lk)_[a-z0-9]{26,64}",
    ),
    token(
        "secret.dynatrace-token",
        "DYNATRACE_TOKEN",
        "a Dynatrace token",
        &["dt0c01.", "dt0s01.", "dt0s02.", "dt0s16."],
        r"dt0[cs]\d{2}\.[A-Z0-9]{8,24}\.[A-Z0-9]{64}",
    ),
    token(
        "secret.notion-token",
        "NOTION_TOKEN",
        "a Notion integration token",
        &["ntn_", "secret_"],
        r"(?:ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43})",
    )
    .check(proof::three_classes),
    token(
        "secret.linear-key",
        "LINEAR_KEY",
        "a Linear API key",
        &["lin_api_", "lin_oauth_", "lin_wh_"],
        r"lin_(?:api|oauth|wh)_[A-Za-z0-9]{32,64}",
    ),
    token(
        "secret.figma-token",
        "FIGMA_TOKEN",
        "a Figma token",
        &["figd_", "figo_"],
        r"fig[do]_[A-Za-z0-9_-]{38,64}",
    ),
    token(
        "secret.airtable-key",
        "AIRTABLE_KEY",
        "an Airtable API key",
        &["airtable"],
        r#"airtable[\w -]{0,20}\\?["'\])]{0,2}[ \t]{0,8}(?:=>|[:=(,])[ \t]{0,8}\\?["']?(key[A-Za-z0-9]{14})"#,
    )
    .any_case()
    .check(proof::digit_and_letter),
    token(
        "secret.asana-token",
        "ASANA_TOKEN",
        "an Asana personal access token",
        &[
            "0/1", "1/1", "2/1",
        ],
        r"[012]/1\d{15}(?:/\d{16})?:[a-f0-9]{32}",
    ),
    token(
        "secret.dropbox-token",
        "DROPBOX_TOKEN",
        "a Dropbox token",
        &["sl."],
        r"sl\.(?:u\.)?[A-Za-z0-9_=-]{100}",
    )
    .grow(Grow::Right { class: base64_any, max: 1500 }),
    token(
        "secret.contentful-token",
        "CONTENTFUL_TOKEN",
        "a Contentful management token",
        &["CFPAT-"],
        r"CFPAT-[A-Za-z0-9_-]{43}",
    ),
    token(
        "secret.hubspot-token",
        "HUBSPOT_TOKEN",
        "a HubSpot private app token",
        &["pat-na", "pat-eu"],
        r"pat-(?:na|eu)\d-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    ),
    token(
        "secret.mapbox-token",
        "MAPBOX_TOKEN",
        "a Mapbox secret token",
        &["sk.eyJ"],
        r"sk\.eyJ[A-Za-z0-9_-]{50,150}\.[A-Za-z0-9_-]{20,30}",
    ),
    token(
        "secret.launchdarkly-key",
        "LAUNCHDARKLY_KEY",
        "a LaunchDarkly SDK or API key",
        &["sdk-", "api-"],
        r"(?:sdk|api)-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    )
    .confidence(0.85),
    token(
        "secret.typeform-token",
        "TYPEFORM_TOKEN",
        "a Typeform token",
        &["tfp_"],
        r"tfp_[A-Za-z0-9_.=-]{44,64}",
    ),
    token(
        "secret.adafruit-key",
        "ADAFRUIT_KEY",
        "an Adafruit IO key",
        &["aio_"],
        r"aio_[A-Za-z0-9]{28}",
    )
    .check(proof::three_classes),
    token(
        "secret.adobe-client-secret",
        "ADOBE_SECRET",
        "an Adobe client secret",
        &["p8e-"],
        r"p8e-[A-Za-z0-9]{32}",
    )
    .any_case(),
    token(
        "secret.trello-token",
        "TRELLO_TOKEN",
        "a Trello token",
        &["ATTA"],
        r"ATTA[a-f0-9]{64}[A-F0-9]{8}",
    ),
    token(
        "secret.salesforce-session",
        "SALESFORCE_TOKEN",
        "a Salesforce session id or access token",
        &["00D"],
        r"00D[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{80,120}",
    ),
    token(
        "secret.okta-token",
        "OKTA_TOKEN",
        "an Okta API token",
        &["SSWS "],
        r"SSWS (00[A-Za-z0-9_-]{40})",
    )
    .any_case(),
    token(
        "secret.zoho-token",
        "ZOHO_TOKEN",
        "a Zoho OAuth token",
        &["1000."],
        r"1000\.[a-f0-9]{32}\.[a-f0-9]{32}",
    ),
];
