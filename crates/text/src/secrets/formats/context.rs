//! Formats that say nothing by themselves: a vendor's name must stand in front of them.

use bartizan_core::Severity;

use super::{Rank, SecretFormat, token};
use crate::secrets::proof;

/// `NAME...=value`: a name that starts with the vendor's, an assignment, a value.
macro_rules! assigned {
    ($names:literal, $value:literal) => {
        concat!(
            r"(?:",
            $names,
            r")(?:[\w.-]| (?:api|access|auth|secret|key|token|app|admin|personal)){0,40}?",
            r#"\\?["'\])}]{0,3}[ \t]{0,8}(?:=>|:=|={1,2}|[:,(>]| is |["'] value=)[ \t]{0,8}\\?["']?("#,
            $value,
            r")"
        )
    };
}

const fn named(
    id: &'static str,
    entity: &'static str,
    title: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
) -> SecretFormat {
    token(id, entity, title, anchors, pattern)
        .any_case()
        .check(proof::digit_and_letter)
        .confidence(0.85)
}

pub(super) static FORMATS: &[SecretFormat] = &[
    named(
        "secret.datadog-key",
        "DATADOG_KEY",
        "a Datadog API or application key",
        &[
            "datadog",
            "dd_api",
            "dd_app",
            "dd-api-key",
            "dd-application-key",
        ],
        assigned!("datadog|dd[_-]ap(?:i|p)", "[a-f0-9]{40}|[a-f0-9]{32}"),
    ),
    named(
        "secret.heroku-api-key",
        "HEROKU_KEY",
        "a Heroku API key",
        &["heroku"],
        assigned!(
            "heroku",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
        ),
    ),
    named(
        "secret.okta-api-token",
        "OKTA_TOKEN",
        "an Okta API token",
        &["okta"],
        assigned!("okta", "00[A-Za-z0-9_-]{40}"),
    ),
    named(
        "secret.cohere-key",
        "COHERE_KEY",
        "a Cohere API key",
        &["cohere", "co_api_key"],
        assigned!("cohere|co_api_key", "[A-Za-z0-9]{40}"),
    )
    .check(proof::three_classes),
    named(
        "secret.mistral-key",
        "MISTRAL_KEY",
        "a Mistral API key",
        &["mistral"],
        assigned!("mistral", "[A-Za-z0-9]{32}"),
    )
    .check(proof::three_classes),
    named(
        "secret.together-key",
        "TOGETHER_KEY",
        "a Together API key",
        &["together"],
        assigned!("together", "[a-f0-9]{64}"),
    ),
    named(
        "secret.algolia-key",
        "ALGOLIA_KEY",
        "an Algolia admin key",
        &["algolia"],
        assigned!("algolia", "[a-f0-9]{32}"),
    ),
    named(
        "secret.cloudflare-api-token",
        "CLOUDFLARE_TOKEN",
        "a Cloudflare API token",
        &["cloudflare", "cf_api", "cf-api"],
        assigned!("cloudflare|cf[_-]api", "[A-Za-z0-9_-]{40}|[a-f0-9]{37}"),
    ),
    named(
        "secret.confluent-secret",
        "CONFLUENT_SECRET",
        "a Confluent API secret",
        &["confluent"],
        assigned!("confluent", "[A-Za-z0-9+/]{64}"),
    ),
    named(
        "secret.pagerduty-key",
        "PAGERDUTY_KEY",
        "a PagerDuty API key",
        &["pagerduty", "pager_duty", "Token token="],
        assigned!(
            "pager_?duty|token token",
            r"[A-Za-z0-9_+-]{20}|[a-f0-9]{32}"
        ),
    ),
    named(
        "secret.postmark-token",
        "POSTMARK_TOKEN",
        "a Postmark server token",
        &["postmark"],
        assigned!(
            "postmark",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
        ),
    ),
    named(
        "secret.auth0-secret",
        "AUTH0_SECRET",
        "an Auth0 client secret",
        &["auth0"],
        assigned!("auth0", "[A-Za-z0-9_-]{64}"),
    ),
    named(
        "secret.azure-ad-secret",
        "AZURE_CLIENT_SECRET",
        "an Azure client secret or service key",
        &["azure", "arm_client_secret", "cosmos", "servicebus"],
        assigned!(
            "azure|arm_client_secret|cosmos|servicebus",
            r"[A-Za-z0-9+/]{86}==|[A-Za-z0-9+/]{43}=|[a-f0-9]{32}|[A-Za-z0-9_.~@-]{34,44}"
        ),
    )
    .entropy(3.2)
    .check(proof::random),
    named(
        "secret.netlify-api-token",
        "NETLIFY_TOKEN",
        "a Netlify access token",
        &["netlify"],
        assigned!("netlify", "[A-Za-z0-9_-]{40,46}"),
    )
    .check(proof::three_classes),
    named(
        "secret.vercel-api-token",
        "VERCEL_TOKEN",
        "a Vercel access token",
        &["vercel"],
        assigned!("vercel", "[A-Za-z0-9]{24}"),
    )
    .check(proof::three_classes),
    named(
        "secret.twitch-client-secret",
        "TWITCH_TOKEN",
        "a Twitch client secret",
        &["twitch"],
        assigned!("twitch", "[a-z0-9]{30}"),
    ),
    named(
        "secret.box-secret",
        "BOX_SECRET",
        "a Box client secret",
        &["box_client", "box_secret", "box_api", "boxapp"],
        assigned!("box_client|box_secret|box_api|boxapp", "[A-Za-z0-9]{32}"),
    ),
    named(
        "secret.codecov-token",
        "CODECOV_TOKEN",
        "a Codecov token",
        &["codecov"],
        assigned!(
            "codecov",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[a-f0-9]{32}"
        ),
    ),
    named(
        "secret.honeycomb-api-key",
        "HONEYCOMB_KEY",
        "a Honeycomb API key",
        &["honeycomb"],
        assigned!("honeycomb", "[A-Za-z0-9]{22}|[a-f0-9]{32}"),
    ),
    named(
        "secret.mailgun-api-key",
        "MAILGUN_KEY",
        "a Mailgun API key",
        &["mailgun"],
        assigned!(
            "mailgun",
            "(?:key-)?[a-f0-9]{32}(?:-[a-f0-9]{8}-[a-f0-9]{8})?"
        ),
    ),
    named(
        "secret.mongodb-atlas-key",
        "MONGODB_ATLAS_SECRET",
        "a MongoDB Atlas private key",
        &[
            "mongodb_atlas",
            "atlas_private",
            "atlas_api",
            "mcli_private",
        ],
        assigned!(
            "mongodb_atlas|atlas_private|atlas_api|mcli_private",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
        ),
    ),
    named(
        "secret.twitter-secret",
        "TWITTER_TOKEN",
        "a Twitter API secret or access token",
        &["twitter"],
        assigned!(
            "twitter",
            r"[A-Za-z0-9]{50}|[A-Za-z0-9]{45}|\d{15,20}-[A-Za-z0-9]{40}"
        ),
    ),
    named(
        "secret.facebook-app-secret",
        "FACEBOOK_TOKEN",
        "a Facebook app secret",
        &["facebook", "fb_app", "fb_secret"],
        assigned!("facebook|fb_app|fb_secret", "[a-f0-9]{32}"),
    ),
    named(
        "secret.contentful-api-key",
        "CONTENTFUL_TOKEN",
        "a Contentful delivery key",
        &["contentful"],
        assigned!("contentful", "[A-Za-z0-9_-]{43}"),
    ),
    named(
        "secret.plaid-secret",
        "PLAID_TOKEN",
        "a Plaid secret",
        &["plaid"],
        assigned!("plaid", "[a-z0-9]{30}"),
    ),
    named(
        "secret.vault-legacy-token",
        "VAULT_TOKEN",
        "a HashiCorp Vault token",
        &["vault_token", "vault-token", "x-vault-token"],
        assigned!("vault[_-]token", r"s\.[A-Za-z0-9]{24}"),
    ),
    named(
        "secret.braintree-key",
        "BRAINTREE_TOKEN",
        "a Braintree private key",
        &["braintree", "bt_private"],
        assigned!("braintree|bt_private", "[a-f0-9]{32}"),
    ),
    named(
        "secret.paypal-secret",
        "PAYPAL_SECRET",
        "a PayPal client secret",
        &["paypal"],
        assigned!("paypal", "E[A-Za-z0-9_-]{79}"),
    ),
    named(
        "secret.django-secret-key",
        "DJANGO_SECRET_KEY",
        "the secret key of a Django or Flask application",
        &["secret_key", "secretkey"],
        r#"secret_?key\\?["'\]]{0,2}\s{0,8}[:=]\s{0,8}\\?["']([^"'\r\n]{32,128})["']"#,
    )
    .entropy(3.6)
    .rank(Rank::Placed)
    .severity(Severity::Critical),
    named(
        "secret.django-insecure-key",
        "DJANGO_SECRET_KEY",
        "the secret key of a Django project",
        &["django-insecure-"],
        r"django-insecure-[A-Za-z0-9!@#$%^&*(_=+)-]{50}",
    ),
    named(
        "secret.rails-secret",
        "RAILS_SECRET",
        "the secret of a Rails application",
        &["secret_key_base", "rails_master_key"],
        assigned!(
            "secret_key_base|rails_master_key",
            "[a-f0-9]{128}|[a-f0-9]{64}|[a-f0-9]{32}"
        ),
    )
    .severity(Severity::Critical),
    named(
        "secret.laravel-app-key",
        "LARAVEL_APP_KEY",
        "the key of a Laravel application",
        &["app_key"],
        assigned!("app_key", "base64:[A-Za-z0-9+/]{43}="),
    )
    .severity(Severity::Critical),
    named(
        "secret.totp-secret",
        "TOTP_SECRET",
        "the secret of one-time passwords",
        &[
            "totp",
            "otp_secret",
            "mfa_secret",
            "2fa",
            "mfa secret",
            "otp secret",
            "authenticator",
            "mfa_seed",
            "otp_seed",
        ],
        assigned!(
            "totp|otp[_ ]secret|mfa[_ ]secret|2fa|authenticator|mfa_seed|otp_seed",
            "[A-Z2-7]{16,64}"
        ),
    )
    .check(|value| proof::digit_and_letter(value) && !value.iter().any(u8::is_ascii_lowercase)),
];
